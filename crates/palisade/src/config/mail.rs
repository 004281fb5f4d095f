//! How mail leaves: the table `[mail]`.

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::limits::is_this_machine;
use super::section::Section;
use super::setting::{Member, Raw, Setting, Wrong};
use crate::secret::Secret;

/// How mail leaves: the table `[mail]`; without `host` it leaves by the `Mailer` that the app provides, or not at all.
#[palisade_macros::settings]
#[non_exhaustive]
pub struct MailConfig {
    /// The name of the SMTP server, which its certificate must bear.
    #[setting(length = 1..=253)]
    pub host: Option<String>,
    /// Its port: 465 with `implicit`, 587 with `starttls`, where nothing else is said.
    #[setting(range = 1..=65535)]
    pub port: Option<u16>,
    /// How TLS begins; there is no mail without it.
    #[setting(default = "implicit")]
    pub tls: MailTls,
    /// The PEM file of the authorities that may have signed its certificate, instead of those of the web.
    pub ca: Option<PathBuf>,
    /// The name to sign in with.
    #[setting(length = 1..=320)]
    pub user: Option<String>,
    /// The password to sign in with.
    pub password: Option<Secret<String>>,
    /// How long each step of the conversation may take.
    #[setting(default = "10s", range = "1s"..="1m")]
    pub timeout: Duration,
    /// Who writes: `Notes <notes@example.org>`.
    pub from: Option<Sender>,
    /// Where the app's pages stand, for the links of mails; without it a mail shows the token alone.
    pub link_base: Option<LinkBase>,
}

/// How TLS begins (RFC 8314).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailTls {
    /// With the connection, as on port 465.
    Implicit,
    /// With the command `STARTTLS`, as on port 587; a server that does not offer it gets no mail.
    StartTls,
}

impl MailTls {
    /// The port that is usual for it.
    #[must_use]
    pub const fn port(self) -> u16 {
        match self {
            Self::Implicit => 465,
            Self::StartTls => 587,
        }
    }
}

impl Setting for MailTls {
    fn read(raw: Raw<'_>) -> Result<Self, Wrong> {
        match raw.text()? {
            "implicit" => Ok(Self::Implicit),
            "starttls" => Ok(Self::StartTls),
            _ => Err(Wrong::new(
                "is neither `implicit` nor `starttls`",
                "write implicit for port 465, starttls for port 587; mail without TLS is not sent",
            )),
        }
    }
}

/// Who writes: an address, and a name where there is one.
///
/// # Security
/// It holds no control character, so that it cannot begin another line of a mail's head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    name: Option<String>,
    address: String,
}

impl Sender {
    const MOST_CHARACTERS: usize = 100;

    /// Reads `notes@example.org`, or `Notes <notes@example.org>`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (name, address) = match text.trim().strip_suffix('>') {
            Some(text) => text.rsplit_once('<')?,
            None => ("", text.trim()),
        };
        let name = name.trim();
        let plain =
            |c: char| !c.is_control() && !matches!(c, '<' | '>' | '"' | '\u{2028}' | '\u{2029}');
        let fits = name.chars().all(plain) && name.chars().count() <= Self::MOST_CHARACTERS;
        let right = address.is_ascii()
            && address.len() <= 254
            && garde::rules::email::parse_email(address).is_ok()
            && !address.ends_with(']');
        (fits && right).then(|| Self {
            name: Some(name.to_owned()).filter(|name| !name.is_empty()),
            address: address.to_owned(),
        })
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The address.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// What stands behind the `@` of the address.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.address
            .rsplit_once('@')
            .map_or("", |(_, domain)| domain)
    }
}

impl Setting for Sender {
    fn read(raw: Raw<'_>) -> Result<Self, Wrong> {
        Self::parse(raw.text()?).ok_or(Wrong::new(
            "is not an address, nor a name and an address",
            "write it such as notes@example.org, or Notes <notes@example.org>",
        ))
    }
}

/// Where the app's pages stand: links of mails are this, a page, and the token behind a `#`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkBase(String);

impl LinkBase {
    /// The address, without a slash at its end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Setting for LinkBase {
    fn read(raw: Raw<'_>) -> Result<Self, Wrong> {
        let url = Url::parse(raw.text()?.trim()).ok().filter(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.username().is_empty()
                && url.password().is_none()
                && url.query().is_none()
                && url.fragment().is_none()
        });
        let url = url.ok_or(Wrong::new(
            "is not the address of pages",
            "write scheme and host, and a path where there is one, such as https://app.example.org",
        ))?;
        Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
    }

    fn take(section: &mut Section<'_>, member: &Member) -> Option<Self> {
        let base: Self = section.value(member)?;
        let plain =
            Url::parse(&base.0).is_ok_and(|url| url.scheme() == "http" && !is_this_machine(&url));
        if section.is_production() && plain {
            section.refuse(
                member,
                "leads to a page that comes without TLS, which anybody on the way can read and change",
                "serve that page over https, and write its address so",
            );
            return None;
        }
        Some(base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_senders_that_stay_on_one_line() {
        let full = Sender::parse("Notes & Co. <Notes@example.org>").unwrap();
        assert_eq!(full.name(), Some("Notes & Co."));
        assert_eq!(
            (full.address(), full.domain()),
            ("Notes@example.org", "example.org")
        );
        assert_eq!(Sender::parse("a@example.org").unwrap().name(), None);
        for bad in [
            "",
            "Notes",
            "a@",
            "Notes <a@example.org",
            "A\r\nBcc: b@example.org <a@example.org>",
            "A <a@example.org>\nBcc: b@example.org",
            "a@example.org\r\nBcc: b@example.org",
            "A\u{2028}B <a@example.org>",
            "\"A\" <a@example.org>",
            "A <a@example.org> <b@example.org>",
            "a@example.org, b@example.org",
        ] {
            assert!(Sender::parse(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn takes_the_address_of_pages_alone() {
        let read = |text| LinkBase::read(Raw::Text(text));
        assert_eq!(
            read("https://app.example.org/").unwrap().as_str(),
            "https://app.example.org"
        );
        assert_eq!(
            read("https://example.org/app/").unwrap().as_str(),
            "https://example.org/app"
        );
        for bad in [
            "app.example.org",
            "javascript:alert(1)",
            "https://u:p@example.org",
            "https://example.org/?a=1",
            "https://example.org/#a",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
