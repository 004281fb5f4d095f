//! Rules across settings: what one of them alone cannot tell.

use std::net::SocketAddr;

use url::Url;

use super::layers::{Found, Layers};
use super::refusal::{Problem, Refusal};
use super::setting::Setting;
use super::values::is_well_known;
use crate::secret::key::Key;

pub(super) fn across(layers: &Layers, production: bool, refusal: &mut Refusal) {
    keys_differ(layers, refusal);
    database(layers, production, refusal);
    management(layers, refusal);
    mail(layers, refusal);
}

/// Mail needs a server, somebody who writes, and both halves of a credential.
fn mail(layers: &Layers, refusal: &mut Refusal) {
    let needs = |path: &str, other: &str, fix: &str, refusal: &mut Refusal| {
        if let Some(found) = layers.find(path)
            && layers.find(other).is_none()
            && !layers.is_refused(other)
        {
            add(refusal, &found, &format!("needs `{other}` too"), fix);
        }
    };
    if let Some(found) = layers.find("mail.host")
        && !cfg!(feature = "smtp")
    {
        add(
            refusal,
            &found,
            "names an SMTP server, and this program was built without SMTP",
            "build it with palisade's feature `smtp`",
        );
    }
    let from = "set `mail.from`, such as Notes <notes@example.org>";
    needs("mail.host", "mail.from", from, refusal);
    needs(
        "mail.user",
        "mail.password",
        "set `PALISADE_MAIL__PASSWORD`",
        refusal,
    );
    needs("mail.password", "mail.user", "set `mail.user`", refusal);
    needs(
        "mail.user",
        "mail.host",
        "set `mail.host`, or remove it",
        refusal,
    );
}

/// Metrics tell of every client, so they are neither for the app's clients nor, unasked, for other machines.
fn management(layers: &Layers, refusal: &mut Refusal) {
    let Some(found) = layers.find("metrics.listen") else {
        return;
    };
    let Ok(address) = SocketAddr::read(found.raw()) else {
        return;
    };
    let text = |path: &str| {
        let found = layers.find(path)?;
        found.raw().text().ok().map(str::to_owned)
    };
    let socket = text("host").is_some_and(|host| host.trim().starts_with("unix:"));
    let port = layers.find("port").map(|port| u16::read(port.raw()));
    if port == Some(Ok(address.port())) && !socket {
        add(
            refusal,
            &found,
            "has the port of the service itself",
            "choose another port for it, such as 9464",
        );
    }
    let allowed = layers.find("metrics.allow_remote");
    let allowed = allowed.is_some_and(|allowed| bool::read(allowed.raw()) == Ok(true));
    if !address.ip().is_loopback() && !allowed {
        add(
            refusal,
            &found,
            "can be reached from other machines",
            "write an address of this machine alone, such as 127.0.0.1:9464, or, in a network that is yours alone, set metrics.allow_remote = true as well",
        );
    }
}

/// A key, and the one before it that is still accepted.
const PAIRS: [(&str, &str); 2] = [
    ("secret_key", "secret_key_previous"),
    ("auth.pepper", "auth.pepper_previous"),
];

fn keys_differ(layers: &Layers, refusal: &mut Refusal) {
    let key = |path: &str| {
        let found = layers.find(path)?;
        Some((Key::read(found.raw()).ok()?, found))
    };
    for (current, previous) in PAIRS {
        match (key(current), key(previous)) {
            (Some((current, _)), Some((previous, found))) if current.is(&previous) => add(
                refusal,
                &found,
                "is the same key as the current one",
                "write the key that was in use before, or remove it",
            ),
            (None, Some((_, found)))
                // A missing `secret_key` is told already.
                if current != "secret_key" && layers.find(current).is_none() && !layers.is_refused(current) =>
            {
                add(
                    refusal,
                    &found,
                    "is a previous key without a current one",
                    "set the current key too",
                );
            }
            _ => {}
        }
    }
}

fn database(layers: &Layers, production: bool, refusal: &mut Refusal) {
    let Some(found) = layers.find("database_url") else {
        return;
    };
    let Ok(text) = found.raw().text() else {
        return;
    };
    let fix = "write sqlite://data/app.db, or postgres://user:password@host/name";
    if text.starts_with("sqlite:") {
        return;
    }
    match Url::parse(text) {
        Ok(url) if !matches!(url.scheme(), "postgres" | "postgresql") => {
            add(
                refusal,
                &found,
                "names a database that is neither SQLite nor PostgreSQL",
                fix,
            );
        }
        Ok(url) if production && url.password().is_some_and(is_well_known) => {
            add(
                refusal,
                &found,
                "holds a password that everybody knows",
                "give the database account a random password",
            );
        }
        Ok(_) => {}
        // Too short or well known: said already, by the secret's own rule.
        Err(_) if String::from(text).chars().count() < 8 || is_well_known(text) => {}
        Err(_) => add(refusal, &found, "is not a database URL", fix),
    }
}

fn add(refusal: &mut Refusal, found: &Found, what: &str, fix: &str) {
    let origin = found.origin();
    refusal.add(Problem::new(
        format!("`{}` {what}", origin.name),
        origin.place.clone(),
        fix,
    ));
}
