//! How mail leaves: by what the app provides, by SMTP, or in development by a page of this machine.

use std::any::TypeId;
use std::sync::Arc;

use axum::body::Body;
use http::{HeaderValue, Response, header};

use super::build::App;
use crate::access::Public;
use crate::config::{Config, Environment, Problem, Refusal};
use crate::error::{Error, Result};
use crate::input::{Argument, Incoming, Services};
use crate::mail::{Inbox, Mailer, Outbox};
use crate::output::Reply;
use palisade_macros::{get, routes};

/// A route of accounts that makes no sense without mail.
const NEEDS_MAIL: &str = "/auth/reset";

/// Headers that something between wrote: then the client is not who connected.
const FORWARDED: [&str; 5] = [
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-real-ip",
    "via",
];

impl App {
    /// In development mail that would go nowhere is shown to the developer.
    pub(super) fn show_mail(&mut self) {
        let Some(config) = &self.config else { return };
        let development = config.env == Environment::Development;
        if development && config.mail.host.is_none() && !provides_mailer(&self.services) {
            self.services.insert(Inbox::default());
            self.routes.extend(routes![inbox]);
        }
    }

    /// Accounts that verify addresses need a way to them.
    pub(super) fn check_mail(&self, refusal: &mut Refusal) {
        let Some(config) = &self.config else { return };
        let provided = provides_mailer(&self.services);
        if provided && config.mail.host.is_some() {
            refusal.add(Problem::new(
                "the app provides a mailer, and `mail.host` names an SMTP server: mail would leave by one of the two alone",
                "`mail.host`",
                "remove it, or the `.provide::<Arc<dyn Mailer>>(…)` where the app is built",
            ));
        }
        let production = config.env == Environment::Production;
        let required = config.auth.require_verified_email.unwrap_or(production);
        let needed = self.routes.iter().any(|route| route.path == NEEDS_MAIL);
        let sends = provided || config.mail.host.is_some() || !production;
        if needed && required && !sends {
            refusal.add(Problem::new(
                "accounts sign in only when their address was verified, and nothing here sends mail",
                "`PALISADE_MAIL__HOST`",
                "set it and `mail.from` (with palisade's feature `smtp`), or provide a mailer, `.provide::<Arc<dyn Mailer>>(…)`; \
                 where whoever signs up may see whether an address has an account, set `auth.require_verified_email = false`",
            ));
        }
    }
}

fn provides_mailer(services: &Services) -> bool {
    services.has(TypeId::of::<Arc<dyn Mailer>>())
}

/// What sends the mail of this app.
pub(super) fn outbox(services: &Services, config: &Config) -> std::result::Result<Outbox, Problem> {
    let provided = services.get::<Arc<dyn Mailer>>().map(Arc::clone);
    let shown = services.get::<Inbox>().cloned();
    let shown = shown.map(|inbox| Arc::new(inbox) as Arc<dyn Mailer>);
    let mailer = match provided.or(shown) {
        Some(mailer) => Some(mailer),
        None => smtp(config)?,
    };
    Ok(Outbox::new(mailer))
}

#[cfg(feature = "smtp")]
fn smtp(config: &Config) -> std::result::Result<Option<Arc<dyn Mailer>>, Problem> {
    if config.mail.host.is_none() {
        return Ok(None);
    }
    let made = crate::mail::Smtp::new(&config.mail).map_err(|error| {
        Problem::new(
            error.to_string(),
            "table `[mail]`",
            "give `mail.ca` a PEM file with certificates, or remove it where the server's certificate is one of the web",
        )
    });
    Ok(Some(Arc::new(made?)))
}

#[cfg(not(feature = "smtp"))]
fn smtp(_: &Config) -> std::result::Result<Option<Arc<dyn Mailer>>, Problem> {
    // The settings name no server, or there would be a refusal already.
    Ok(None)
}

/// The inbox, for who sits at this machine.
struct Mine(Inbox);

impl Argument for Mine {
    async fn take(incoming: &mut Incoming) -> Result<Self> {
        let headers = &incoming.parts().headers;
        let forwarded = FORWARDED.iter().any(|name| headers.contains_key(*name));
        if forwarded || !incoming.context().client().to_canonical().is_loopback() {
            return Err(Error::not_found());
        }
        incoming.service().map(Self)
    }
}

struct Page(String);

impl Reply for Page {
    fn reply(self) -> Result<Response<Body>> {
        let mut response = Response::new(Body::from(self.0));
        // Text: nothing in a mail can be more than that.
        let kind = HeaderValue::from_static("text/plain; charset=utf-8");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        Ok(response)
    }
}

/// The mail of this run, the newest first.
#[get("/dev/inbox")]
async fn inbox(_: Public, mine: Mine) -> Result<Page> {
    Ok(Page(mine.0.text()))
}
