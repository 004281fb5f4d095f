//! How much and how often: the tables `[limits]` and `[cors]`.

use std::time::Duration;

use url::{Host, Url};

use super::section::Section;
use super::setting::{Member, Raw, Setting, Wrong};
use super::values::Rate;

/// How often, how many and how fast: the table `[limits]`.
#[palisade_macros::settings]
#[non_exhaustive]
pub struct LimitsConfig {
    /// Requests of one client address to the whole process; an IPv6 client is its /64.
    #[setting(default = "600/min")]
    pub client: Rate,
    /// Tries to sign in, by client address.
    #[setting(default = "10/min")]
    pub sign_in: Rate,
    /// New accounts, by client address.
    #[setting(default = "10/min")]
    pub sign_up: Rate,
    /// Refreshed tokens, by client address.
    #[setting(default = "60/min")]
    pub refresh: Rate,
    /// Requests for a mail, uses of a mail's token, and changes of a password, by client address.
    #[setting(default = "10/min")]
    pub recovery: Rate,
    /// Mails of one purpose that anybody may cause, to one address; more are not sent, and nobody is told.
    #[setting(default = "5/h")]
    pub mail: Rate,
    /// Everything else under `auth`, by account, or by client address where there is none.
    #[setting(default = "120/min")]
    pub auth: Rate,
    /// The app's own classes, for `limit = "search"` on a handler.
    pub classes: RateClasses,
    /// Requests that are worked on at the same time; more are told to come back.
    #[setting(default = 1024, range = 1..=1_000_000)]
    pub concurrency: u32,
    /// How long a body may take to arrive.
    #[setting(default = "30s", range = "100ms"..="1h")]
    pub body_timeout: Duration,
    /// Bytes of a body that must arrive each second, after the first five.
    #[setting(default = "256 B", range = "0 B"..="1 MiB")]
    pub body_rate: super::Size,
}

/// Named rates of the app: `search=60/min, export=5/h`.
///
/// A handler names one by `limit = "search"`; handlers of one class share its count. The names of the framework's own limits are taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RateClasses(Vec<(String, Rate)>);

impl RateClasses {
    /// The framework's own limits, which a class of the app would be mistaken for.
    const TAKEN: [&str; 6] = [
        "client", "sign-in", "sign-up", "refresh", "recovery", "auth",
    ];

    /// The rate of this class.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Rate> {
        let class = self.0.iter().find(|(own, _)| own == name);
        class.map(|(_, rate)| *rate)
    }

    /// The names, as they were written.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }
}

impl Setting for RateClasses {
    fn read(raw: Raw<'_>) -> Result<Self, Wrong> {
        let mut classes = Self::default();
        for text in Vec::<String>::read(raw)? {
            let class = text.split_once('=').and_then(|(name, rate)| {
                let name = name.trim();
                let plain =
                    |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
                let fits = (1..=40).contains(&name.len())
                    && name.bytes().all(plain)
                    && name.starts_with(|c: char| c.is_ascii_lowercase())
                    && classes.get(name).is_none();
                Some((name.to_owned(), Rate::parse(rate)?)).filter(|_| fits)
            });
            if class
                .as_ref()
                .is_some_and(|(name, _)| Self::TAKEN.contains(&name.as_str()))
            {
                return Err(Wrong::new(
                    "names a class as a limit of the framework is named",
                    "take another name than client, sign-in, sign-up, refresh and auth; their rates are limits.client, limits.sign_in and so on",
                ));
            }
            classes.0.push(class.ok_or(Wrong::new(
                "is not a list of named rates, each name once",
                "write them such as [\"search=60/min\", \"export=5/h\"]",
            ))?);
        }
        Ok(classes)
    }

    fn take(section: &mut Section<'_>, member: &Member) -> Option<Self> {
        if section.has(member.name) {
            section.value(member)
        } else {
            Some(Self::default())
        }
    }
}

/// Which pages of other origins may call, closed by default: the table `[cors]`.
#[palisade_macros::settings]
#[non_exhaustive]
pub struct CorsConfig {
    /// The origins, exactly.
    pub origins: Origins,
    /// Whether their calls may carry cookies.
    #[setting(default = false)]
    pub credentials: bool,
    /// How long a browser may keep the answer to a preflight.
    #[setting(default = "10m", range = "0s"..="24h")]
    pub max_age: Duration,
}

/// Exact web origins, such as `https://app.example.org`; none by default, and never `*`.
///
/// # Security
/// An origin is compared byte by byte with what a browser sends, so one that no browser sends (with a path, a default port, capitals)
/// is refused at start. `null` is sent by sandboxed pages of anybody, so it is never allowed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origins(Vec<String>);

impl Origins {
    /// The origins, as a browser sends them.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether no origin may call.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Setting for Origins {
    fn read(raw: Raw<'_>) -> Result<Self, Wrong> {
        let origins = Vec::<String>::read(raw)?;
        for origin in &origins {
            let exact = Url::parse(origin).is_ok_and(|url| {
                let web = matches!(url.scheme(), "http" | "https");
                web && !origin.contains('*') && url.origin().ascii_serialization() == *origin
            });
            if origin == "*" {
                return Err(Wrong::new(
                    "allows every origin",
                    "name the origins whose pages may call, such as [\"https://app.example.org\"]",
                ));
            }
            if !exact {
                return Err(Wrong::new(
                    "is not a list of origins as browsers send them",
                    "write scheme and host in lower case, without path, slash or default port, such as [\"https://app.example.org\"]",
                ));
            }
        }
        Ok(Self(origins))
    }

    fn take(section: &mut Section<'_>, member: &Member) -> Option<Self> {
        if !section.has(member.name) {
            return Some(Self::default());
        }
        let origins: Self = section.value(member)?;
        let plain = |origin: &str| {
            Url::parse(origin).is_ok_and(|url| url.scheme() == "http" && !is_this_machine(&url))
        };
        if section.is_production() && origins.iter().any(plain) {
            section.refuse(
                member,
                "allows a page that came without TLS, which anybody on the way can change",
                "serve that page over https, and write its origin so",
            );
            return None;
        }
        Some(origins)
    }
}

pub(super) fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_origins_as_browsers_send_them_and_no_other() {
        for good in [
            "https://app.example.org",
            "http://localhost:5173",
            "https://[2001:db8::1]:8443",
        ] {
            assert!(Origins::read(Raw::Text(good)).is_ok(), "{good}");
        }
        for bad in [
            "*",
            "null",
            "https://app.example.org/",
            "https://app.example.org:443",
            "https://App.example.org",
            "app.example.org",
            "https://*.example.org",
            "https://u@app.example.org",
            "file:///x",
        ] {
            assert!(Origins::read(Raw::Text(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn reads_named_rates_each_once() {
        let classes = RateClasses::read(Raw::Text("search=60/min,export=5/h")).unwrap();
        assert_eq!(classes.get("export"), Rate::parse("5/h"));
        assert_eq!(classes.get("other"), None);
        for bad in [
            "client=1/s",
            "sign-in=1/s",
            "sign-up=1/s",
            "refresh=1/s",
            "auth=1/s",
            "search",
            "search=fast",
            "Search=1/s",
            "a=1/s,a=2/s",
            "=1/s",
        ] {
            assert!(RateClasses::read(Raw::Text(bad)).is_err(), "{bad}");
        }
    }
}
