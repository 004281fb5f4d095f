//! What the mails of accounts say.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use crate::input::Email;
use crate::mail::Letter;
use crate::secret::token::Token;

/// What happened to an account, told to its owner by mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// Somebody signed in on a device that was not known.
    NewDevice {
        /// The address that they came from.
        client: IpAddr,
    },
    /// The password was changed.
    PasswordChanged,
    /// The e-mail address was changed.
    EmailChanged,
    /// A second factor was added, replaced or removed.
    SecondFactorChanged,
    /// Somebody signed in with a recovery code.
    RecoveryCodeUsed,
}

/// What a mail of accounts is about.
#[derive(Debug)]
#[non_exhaustive]
pub enum Message<'a> {
    /// Somebody signed up with this address: the link shows that it is theirs.
    Verify(&'a Link),
    /// Somebody signed up with an address that has an account: the link sets another password.
    SignedUpAgain(&'a Link),
    /// Somebody forgot a password: the link sets another one.
    Reset(&'a Link),
    /// An account is to have this address: the link confirms it.
    ConfirmEmail(&'a Link),
    /// An account was to have this address, which has an account already.
    EmailTaken,
    /// To the address that an account has: it is to have another one, and the link forbids it, or takes it back.
    EmailChange {
        /// The address that it is to have.
        new: &'a Email,
        /// What forbids it.
        cancel: &'a Link,
    },
    /// Something happened to the account.
    Notice(Notice),
}

/// Writes the mails of accounts: `.provide::<Arc<dyn Templates>>(Arc::new(mine))` in place of [`English`].
///
/// # Example
/// ```
/// use palisade::auth::{English, Message, Templates};
/// use palisade::mail::Letter;
///
/// #[derive(Debug)]
/// struct Ours;
///
/// impl Templates for Ours {
///     fn letter(&self, message: &Message<'_>) -> Letter {
///         match message {
///             Message::Reset(link) => Letter::new("Neues Passwort", format!("Hier lang: {link}")),
///             other => English.letter(other),
///         }
///     }
/// }
/// ```
pub trait Templates: fmt::Debug + Send + Sync {
    /// The letter for this message.
    fn letter(&self, message: &Message<'_>) -> Letter;
}

/// What a mail leads to: shown as the address of a page, or as the bare token where `mail.link_base` is not set.
///
/// # Security
/// The token stands behind the `#`, which browsers do not send: it comes into no log of a server on the way, and into no `Referer`. The page reads it
/// there, and sends it in the body of a request. `Debug` shows nothing of it.
pub struct Link {
    base: Option<String>,
    page: &'static str,
    token: Token,
    lifetime: Duration,
}

impl Link {
    pub(super) fn new(
        base: Option<String>,
        page: &'static str,
        token: Token,
        lifetime: Duration,
    ) -> Self {
        Self {
            base,
            page,
            token,
            lifetime,
        }
    }

    /// The token, for a link of your own.
    #[must_use]
    pub fn token(&self) -> &str {
        self.token.expose()
    }

    /// How long it is good for.
    #[must_use]
    pub fn lifetime(&self) -> Duration {
        self.lifetime
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.base {
            Some(base) => write!(f, "{base}/{}#token={}", self.page, self.token()),
            None => f.write_str(self.token()),
        }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Link([redacted])")
    }
}

/// The texts that there are when the app provides none.
#[derive(Debug, Clone, Copy)]
pub struct English;

impl Templates for English {
    fn letter(&self, message: &Message<'_>) -> Letter {
        match message {
            Message::Verify(link) => led(
                "Confirm your e-mail address",
                "Somebody, hopefully you, signed up with this address. To confirm that it is yours,",
                link,
                "If it was not you, do nothing: without this nobody uses your address.",
            ),
            Message::SignedUpAgain(link) => led(
                "You have an account already",
                "Somebody, hopefully you, signed up with this address, which has an account already. If you forgot your password, choose another one:",
                link,
                "If it was not you, do nothing: nothing was changed.",
            ),
            Message::Reset(link) => led(
                "Choose another password",
                "Somebody, hopefully you, asked for another password. To choose it,",
                link,
                "Using it ends every sign-in of your account. If it was not you, do nothing: your password stays as it is.",
            ),
            Message::ConfirmEmail(link) => led(
                "Confirm your new e-mail address",
                "Somebody, hopefully you, wants to use this address for their account. To confirm that it is yours,",
                link,
                "If it was not you, do nothing: without this nobody uses your address.",
            ),
            Message::EmailTaken => Letter::new(
                "You have an account already",
                "Somebody, hopefully you, wants to use this address for their account, but it has an account of its own. Nothing was changed.\n",
            ),
            Message::EmailChange { new, cancel } => led(
                "The e-mail address of your account is about to change",
                &format!(
                    "Somebody who knows your password asked that your account use the address {new}.\n\nIf it was you, do nothing here, and open the mail that went there. If it was not you, stop it, which also ends every sign-in of your account and makes you choose another password:"
                ),
                cancel,
                "This also takes the address back when it has been changed already.",
            ),
            Message::Notice(notice) => noticed(*notice),
        }
    }
}

/// A letter that leads somewhere.
fn led(subject: &str, why: &str, link: &Link, otherwise: &str) -> Letter {
    let how = match (&link.base, why.ends_with(':')) {
        (Some(_), true) => "",
        (Some(_), false) => " open this page:",
        (None, true) => "\n\nEnter this where you are asked for the token:",
        (None, false) => " enter this where you are asked for the token:",
    };
    let lifetime = in_words(link.lifetime);
    Letter::new(
        subject,
        format!(
            "{why}{how}\n\n    {link}\n\nIt can be used once, within {lifetime}.\n\n{otherwise}\n"
        ),
    )
}

fn noticed(notice: Notice) -> Letter {
    let (subject, what) = match notice {
        Notice::NewDevice { client } => (
            "A sign-in on a new device",
            format!(
                "Somebody signed in to your account on a device that was not used before, from {client}."
            ),
        ),
        Notice::PasswordChanged => (
            "Your password was changed",
            "The password of your account was changed, and its other sign-ins were ended."
                .to_owned(),
        ),
        Notice::EmailChanged => (
            "Your e-mail address was changed",
            "The e-mail address of your account was changed.".to_owned(),
        ),
        Notice::SecondFactorChanged => (
            "Your second factor was changed",
            "The second factor of your account was added, replaced or removed.".to_owned(),
        ),
        Notice::RecoveryCodeUsed => (
            "A recovery code was used",
            "Somebody signed in to your account with one of its recovery codes.".to_owned(),
        ),
    };
    Letter::new(
        subject,
        format!(
            "{what}\n\nIf it was you, there is nothing to do. If it was not you, choose another password at once: ask for one where you sign in.\n"
        ),
    )
}

fn in_words(time: Duration) -> String {
    let minutes = time.as_secs().div_ceil(60);
    match minutes {
        m if m % 1440 == 0 && m > 1440 => format!("{} days", m / 1440),
        m if m % 60 == 0 && m > 60 => format!("{} hours", m / 60),
        60 => "an hour".to_owned(),
        m => format!("{m} minutes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(base: Option<&str>) -> Link {
        let token = Token::parse("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").unwrap();
        let base = base.map(str::to_owned);
        Link::new(base, "reset", token, Duration::from_secs(1800))
    }

    #[test]
    fn puts_a_token_behind_the_sign_that_browsers_do_not_send() {
        let letter = English.letter(&Message::Reset(&link(Some("https://app.example.org"))));
        let url = "\n    https://app.example.org/reset#token=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n";
        assert!(letter.body().contains(url), "{}", letter.body());
        assert!(letter.body().contains("within 30 minutes"));
        let letter = English.letter(&Message::Reset(&link(None)));
        assert!(
            letter.body().contains("\n    AAAAAAAA"),
            "{}",
            letter.body()
        );
    }

    #[test]
    fn never_prints_a_token() {
        let link = link(None);
        let said = format!("{link:?} {:?}", Message::Verify(&link));
        assert!(!said.contains("AAAA"), "{said}");
    }

    #[test]
    fn says_times_as_people_do() {
        let said = [300, 1800, 3600, 86_400, 604_800].map(|s| in_words(Duration::from_secs(s)));
        assert_eq!(
            said,
            ["5 minutes", "30 minutes", "an hour", "24 hours", "7 days"]
        );
    }
}
