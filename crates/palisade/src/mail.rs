//! Mail: what leaves, who carries it, and how it waits without anybody waiting for it.

mod inbox;
mod outbox;
#[cfg(feature = "smtp")]
mod smtp;

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::pin::Pin;

use crate::input::Email;
use crate::secret::Secret;

pub(crate) use inbox::Inbox;
pub use outbox::Outbox;
#[cfg(feature = "smtp")]
pub use smtp::{Smtp, SmtpError};

/// Characters of a subject.
const SUBJECT: usize = 200;
/// Characters of a text.
const BODY: usize = 20_000;

/// What [`Mailer::send`] gives.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Result<(), MailError>> + Send + 'a>>;

/// Carries mail to where it goes.
///
/// SMTP is there already (feature `smtp`, `mail.host`); for a provider's own interface provide one to the app:
/// `.provide::<Arc<dyn Mailer>>(Arc::new(mine))`.
///
/// # Example
/// ```
/// use palisade::mail::{Mail, Mailer, Sending};
///
/// /// Says on the terminal that it was asked.
/// #[derive(Debug)]
/// struct Said;
///
/// impl Mailer for Said {
///     fn send<'a>(&'a self, mail: &'a Mail) -> Sending<'a> {
///         Box::pin(async move {
///             println!("a mail: {}", mail.subject());
///             Ok(())
///         })
///     }
/// }
/// ```
///
/// # Security
/// Texts hold tokens: keep them out of logs.
pub trait Mailer: fmt::Debug + Send + Sync {
    /// Hands the mail over; it is called from a task of its own, never from a request, and given up after a minute.
    fn send<'a>(&'a self, mail: &'a Mail) -> Sending<'a>;
}

/// Why a mail was not handed over.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MailError {
    /// It may be handed over later: the server was away, or busy. It is tried again.
    #[error("the mail could not be handed over for now")]
    Later(#[source] Box<dyn StdError + Send + Sync>),
    /// It never will: there is no such mailbox, or nobody may write to it from here.
    #[error("the mail was refused")]
    Refused(#[source] Box<dyn StdError + Send + Sync>),
}

/// A subject and a text.
///
/// # Security
/// A subject cannot hold a line break or any other control character, so nothing that is written into it begins another line of a
/// mail's head. Both have a most length.
///
/// # Example
/// ```
/// use palisade::mail::Letter;
/// let letter = Letter::new("Hello Ann\r\nBcc: everybody@example.org", "How are you?");
/// assert_eq!(letter.subject(), "Hello Ann Bcc: everybody@example.org");
/// ```
#[derive(Clone)]
pub struct Letter {
    subject: String,
    body: Secret<String>,
}

impl Letter {
    /// A letter of these words. Control characters become blanks, except for line breaks and tabs of the text; what is beyond 200
    /// characters of the subject or 20,000 of the text is cut off.
    #[must_use]
    pub fn new(subject: impl AsRef<str>, body: impl AsRef<str>) -> Self {
        let words = subject.as_ref().split(|c| breaks(c) || c == ' ');
        let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
        let body = body.as_ref().replace("\r\n", "\n");
        let kept = |c: char| {
            if breaks(c) && !matches!(c, '\n' | '\t') {
                ' '
            } else {
                c
            }
        };
        Self {
            subject: words.join(" ").chars().take(SUBJECT).collect(),
            body: Secret::new(body.chars().take(BODY).map(kept).collect()),
        }
    }

    /// The subject, on one line.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The text.
    #[must_use]
    pub fn body(&self) -> &str {
        self.body.expose()
    }
}

/// What a head must not hold: control characters, and what some programs take for the end of a line.
fn breaks(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Letter([redacted])")
    }
}

/// A letter to somebody.
#[derive(Clone)]
pub struct Mail {
    to: Email,
    letter: Letter,
}

impl Mail {
    /// This letter to this address.
    #[must_use]
    pub fn new(to: Email, letter: Letter) -> Self {
        Self { to, letter }
    }

    /// Who gets it.
    #[must_use]
    pub fn to(&self) -> &Email {
        &self.to
    }

    /// The subject, on one line.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.letter.subject()
    }

    /// The text, with `\n` between lines.
    #[must_use]
    pub fn body(&self) -> &str {
        self.letter.body()
    }
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mail([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_a_subject_on_one_line_whatever_is_written_into_it() {
        for (written, kept) in [
            (
                "Hello\r\nBcc: eve@example.org",
                "Hello Bcc: eve@example.org",
            ),
            ("Hello\nX: y", "Hello X: y"),
            ("Hello\rX: y", "Hello X: y"),
            ("\r\n\r\nbody", "body"),
            ("a\u{0}b\u{7f}c\u{85}d\u{2028}e\u{2029}f", "a b c d e f"),
            ("\u{b}tab\tand\u{c}", "tab and"),
            ("Grüße, 日本", "Grüße, 日本"),
        ] {
            assert_eq!(Letter::new(written, "").subject(), kept);
        }
        let long = Letter::new("ü".repeat(1000), "x".repeat(100_000));
        assert_eq!(long.subject().chars().count(), SUBJECT);
        assert_eq!(long.body().len(), BODY);
    }

    #[test]
    fn keeps_lines_of_a_text_and_no_other_control_character() {
        let letter = Letter::new("s", "one\r\ntwo\n\tthree\u{0}four\rfive");
        assert_eq!(letter.body(), "one\ntwo\n\tthree four five");
    }

    #[test]
    fn never_prints_what_it_holds() {
        let to = Email::parse("ann@example.org").unwrap();
        let mail = Mail::new(to, Letter::new("subject", "token"));
        let said = format!("{mail:?} {:?}", mail.letter);
        assert!(!said.contains("token") && !said.contains("ann"), "{said}");
    }
}
