//! The cookies of browsers, each bound to this very host.
//!
//! Follows RFC 6265bis, sections 4.1.3.2 (`__Host-`) and 5.6, and OWASP ASVS 5.0, section 3.3.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};

use crate::error::Result;

/// Holds the id of a session. `Lax`: a link from a mail or another site finds its reader signed in, and what such a link can do is a
/// `GET`, which writes nothing here; an unsafe request of another site is refused before it is looked at.
pub(super) const SESSION: HostCookie = HostCookie {
    name: "__Host-session",
    same_site: "Lax",
};

/// Holds what a device is known again by; read by a sign-in alone, so `Strict` costs nothing.
pub(super) const DEVICE: HostCookie = HostCookie {
    name: "__Host-device",
    same_site: "Strict",
};

/// A cookie that only this host can set and read, over TLS, and no script.
///
/// # Security
/// Browsers take a cookie of such a name from this host alone, with `Secure`, for `/` and without a domain: neither a sibling nor an
/// attacker on plain HTTP can put one of his own beside it ("cookie tossing").
#[derive(Debug, Clone, Copy)]
pub(super) struct HostCookie {
    name: &'static str,
    same_site: &'static str,
}

/// What a request says of one cookie.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sent<'a> {
    /// Nothing.
    Nothing,
    /// This value.
    One(&'a str),
    /// Two values, or bytes that are no text: no browser sends that of a `__Host-` cookie.
    Unclear,
}

impl HostCookie {
    /// The cookie as a request carries it.
    pub(super) fn sent(self, headers: &HeaderMap) -> Sent<'_> {
        let lines = headers.get_all(header::COOKIE).into_iter();
        let mut values = lines
            .flat_map(|line| line.as_bytes().split(|byte| *byte == b';'))
            .filter_map(|pair| {
                let pair = pair.trim_ascii();
                let value = pair.strip_prefix(self.name.as_bytes())?;
                value.strip_prefix(b"=")
            });
        match (values.next(), values.next()) {
            (None, _) => Sent::Nothing,
            (Some(value), None) => std::str::from_utf8(value).map_or(Sent::Unclear, Sent::One),
            (Some(_), Some(_)) => Sent::Unclear,
        }
    }

    /// The header that sets it for so long.
    pub(super) fn set(self, value: &str, max_age: Duration) -> Result<HeaderValue> {
        let Self { name, same_site } = self;
        let seconds = max_age.as_secs();
        let text = zeroize::Zeroizing::new(format!(
            "{name}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite={same_site}"
        ));
        let mut header = HeaderValue::try_from(text.as_str())?;
        header.set_sensitive(true);
        Ok(header)
    }

    /// The header that takes it away.
    pub(super) fn clear(self) -> Result<HeaderValue> {
        self.set("", Duration::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent<'a>(headers: &'a mut HeaderMap, lines: &[&[u8]]) -> Sent<'a> {
        for line in lines {
            headers.append(header::COOKIE, HeaderValue::from_bytes(line).unwrap());
        }
        SESSION.sent(headers)
    }

    #[test]
    fn finds_the_one_cookie_of_its_exact_name() {
        let cases: &[(&[&[u8]], Sent<'_>)] = &[
            (&[], Sent::Nothing),
            (&[b""], Sent::Nothing),
            (&[b"a=b; c=d"], Sent::Nothing),
            (&[b"__Host-session=x"], Sent::One("x")),
            (&[b"a=b; __Host-session=x; c=d"], Sent::One("x")),
            (&[b"a=b;__Host-session=x"], Sent::One("x")),
            (&[b"a=b", b"__Host-session=x"], Sent::One("x")),
            (&[b"__Host-session="], Sent::One("")),
            (&[b"__Host-session=x=y"], Sent::One("x=y")),
            (&[b"__host-session=x"], Sent::Nothing),
            (&[b"__Host-session"], Sent::Nothing),
            (&[b"__Host-sessions=x"], Sent::Nothing),
            (&[b"x__Host-session=x"], Sent::Nothing),
            (&[b"__Secure-session=x; session=x"], Sent::Nothing),
            (&[b"__Host-session=x; __Host-session=x"], Sent::Unclear),
            (&[b"__Host-session=x", b"__Host-session=y"], Sent::Unclear),
            (&[b"__Host-session=\xff"], Sent::Unclear),
        ];
        for (lines, expected) in cases {
            let mut headers = HeaderMap::new();
            assert_eq!(sent(&mut headers, lines), *expected, "{lines:?}");
        }
    }

    #[test]
    fn sets_a_bounded_cookie_for_this_host_and_prints_no_value() {
        let value = SESSION.set("secret", Duration::from_secs(60)).unwrap();
        assert_eq!(
            value.to_str().unwrap(),
            "__Host-session=secret; Path=/; Max-Age=60; Secure; HttpOnly; SameSite=Lax"
        );
        assert!(!format!("{value:?}").contains("secret"));
        assert_eq!(
            DEVICE.clear().unwrap().to_str().unwrap(),
            "__Host-device=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Strict"
        );
    }
}
