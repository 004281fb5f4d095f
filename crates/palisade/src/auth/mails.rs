//! What accounts send by mail: tokens, and notices of what happened to them.
//!
//! Follows OWASP's Forgot Password Cheat Sheet, NIST SP 800-63B-4, section 4.2, and OWASP ASVS 5.0, sections 6.3 and 6.4.

mod templates;
mod token;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;

use crate::config::{Config, Environment, LinkBase, Rate};
use crate::db::{Db, Tx};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::input::Email;
use crate::mail::{Mail, Outbox};
use crate::secret::key::Key;
use crate::secret::token::Token;
use http::StatusCode;
use palisade_macros::sql;

pub use templates::{English, Link, Message, Notice, Templates};
pub(super) use token::{Owner, Purpose};

/// How long the owner of an old address can take it back.
const TAKE_BACK: Duration = Duration::from_secs(7 * 86_400);

/// Writes the mails of accounts, makes their tokens, and takes these back.
#[derive(Debug, Clone)]
pub(super) struct Mails(Arc<Inner>);

/// What goes to whoever asked by an address.
pub(super) struct Answer {
    to: Email,
    link: Link,
    send: bool,
}

#[derive(Clone)]
struct Inner {
    outbox: Outbox,
    templates: Arc<dyn Templates>,
    base: Option<LinkBase>,
    keys: Vec<Key>,
    counts: Key,
    per_address: Rate,
    verification: Duration,
    reset: Duration,
    change: Duration,
    required: bool,
    db: Db,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mails")
            .field("outbox", &self.outbox)
            .field("templates", &self.templates)
            .finish_non_exhaustive()
    }
}

impl Mails {
    pub(super) fn new(config: &Config, db: Db) -> Self {
        let keys = std::iter::once(&config.secret_key).chain(&config.secret_key_previous);
        let production = config.env == Environment::Production;
        Self(Arc::new(Inner {
            outbox: Outbox::new(None),
            templates: Arc::new(English),
            base: config.mail.link_base.clone(),
            keys: keys.map(|key| key.derive("mail tokens")).collect(),
            counts: config.secret_key.derive("mail counts"),
            per_address: config.limits.mail,
            verification: config.auth.verification_lifetime,
            reset: config.auth.reset_lifetime,
            change: config.auth.email_change_lifetime,
            required: config.auth.require_verified_email.unwrap_or(production),
            db,
        }))
    }

    pub(super) fn with_outbox(&self, outbox: Outbox) -> Self {
        let inner = Inner::clone(&self.0);
        Self(Arc::new(Inner { outbox, ..inner }))
    }

    pub(super) fn with_templates(&self, templates: Arc<dyn Templates>) -> Self {
        let inner = Inner::clone(&self.0);
        Self(Arc::new(Inner { templates, ..inner }))
    }

    /// Whether an account signs in only when its address is verified.
    pub(super) fn are_required(&self) -> bool {
        self.0.required
    }

    /// Refuses what makes no sense without mail, before anything is done for it.
    ///
    /// # Errors
    /// 501 when nothing can leave.
    pub(super) fn ready(&self) -> Result<()> {
        if self.0.outbox.sends() {
            return Ok(());
        }
        Err(Error::new(
            StatusCode::NOT_IMPLEMENTED,
            "no-mail",
            "This service sends no mail",
        ))
    }

    /// Counts a mail that anybody may cause, by its purpose; whether it may go to this address.
    ///
    /// By its purpose, so that nobody uses up the room of a reset by asking for something else. And when the newest token's time is over,
    /// another one may go in any case: whoever asks in somebody's name keeps them from nothing.
    pub(super) async fn may_send(&self, tx: &Tx, email: &Email, purpose: Purpose) -> Result<bool> {
        let name = purpose.name();
        let subject = format!("{name} {}", super::routes::address(email));
        let subject = self.0.counts.sign(subject.as_bytes());
        let now = OffsetDateTime::now_utc();
        let until = now + self.0.per_address.window();
        let mails: u32 = sql!(
            "insert into palisade_mail_counts (subject, mails, expires_at) values ({subject}, 1, {until})
             on conflict (subject) do update set
             mails = case when palisade_mail_counts.expires_at <= {now} then 1 else palisade_mail_counts.mails + 1 end,
             expires_at = case when palisade_mail_counts.expires_at <= {now} then {until} else palisade_mail_counts.expires_at end
             returning mails"
        )
        .one(tx)
        .await?;
        if mails <= self.0.per_address.count() || !self.is_live(tx, purpose, email).await? {
            return Ok(true);
        }
        Event::MailLimited { purpose: name }.emit();
        Ok(false)
    }

    /// Takes a message to somebody, to be sent when the request is over.
    pub(super) fn post(&self, to: Email, message: &Message<'_>) {
        let letter = self.0.templates.letter(message);
        self.0.outbox.post(Mail::new(to, letter));
    }

    /// Takes what somebody asked for; for an unknown address the same is done, and nothing sent.
    pub(super) fn answer(&self, answer: Answer, message: impl Fn(&Link) -> Message<'_>) {
        let letter = self.0.templates.letter(&message(&answer.link));
        let mail = Mail::new(answer.to, letter);
        match answer.send {
            true => self.0.outbox.post(mail),
            false => self.0.outbox.pretend(mail),
        }
    }

    /// Tells what happened, when anything can leave.
    pub(super) fn notify(&self, to: Email, notice: Notice) {
        if self.0.outbox.sends() {
            self.post(to, &Message::Notice(notice));
        }
    }

    /// What anybody may ask for by an address: counted, and a token made for its owner, when there is one; nothing more for an unknown address
    /// than for a known one.
    pub(super) async fn asked(
        &self,
        tx: &Tx,
        purpose: Purpose,
        email: &Email,
        owner: Option<&Owner>,
    ) -> Result<Option<Answer>> {
        let account = owner.map(|owner| owner.id.uuid());
        let (may, name) = (self.may_send(tx, email, purpose).await?, purpose.name());
        Event::RecoveryRequested {
            purpose: name,
            account,
        }
        .emit();
        if !may {
            return Ok(None);
        }
        let token = self.issue(tx, purpose, email, owner, None).await?;
        // To the address as it is kept, never as somebody typed it: another spelling may be another mailbox.
        Ok(Some(Answer {
            to: owner.map_or(email, |owner| &owner.email).clone(),
            link: self.link(purpose, token),
            send: owner.is_some(),
        }))
    }

    pub(super) fn link(&self, purpose: Purpose, token: Token) -> Link {
        let page = match purpose {
            Purpose::Verify => "verify",
            Purpose::Reset => "reset",
            Purpose::Change => "email",
            Purpose::Cancel => "email-cancel",
        };
        let base = self.0.base.as_ref().map(|base| base.as_str().to_owned());
        Link::new(base, page, token, self.lifetime(purpose))
    }

    fn lifetime(&self, purpose: Purpose) -> Duration {
        match purpose {
            Purpose::Verify => self.0.verification,
            Purpose::Reset => self.0.reset,
            Purpose::Change => self.0.change,
            Purpose::Cancel => TAKE_BACK,
        }
    }
}
