//! Requests from other sites: refused by Fetch Metadata, then by `Origin`, then by the lack of both beside a cookie.
//!
//! Follows the OWASP CSRF prevention cheat sheet ("Fetch Metadata", "verifying origin with standard headers"). The request's own `Host`
//! is never asked: a DNS-rebound page would send one that agrees with its `Origin`.

use http::{HeaderMap, HeaderName, Method, header};
use url::Url;

use crate::config::{AllowedHosts, Environment};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Which sign says that a request comes from another site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CrossSite(pub(super) &'static str);

/// What tells our own pages from others'.
#[derive(Debug, Clone)]
pub(super) struct SameSite {
    pub(super) hosts: AllowedHosts,
    pub(super) env: Environment,
}

impl SameSite {
    /// Refuses an unsafe request of another site; `allowed` says that CORS allows its `Origin` to send what it carries.
    pub(super) fn check(
        &self,
        method: &Method,
        headers: &HeaderMap,
        allowed: impl FnOnce() -> bool,
    ) -> Result<(), CrossSite> {
        if method.is_safe() || allowed() {
            return Ok(());
        }
        let mut sites = headers.get_all(SEC_FETCH_SITE).iter();
        let mut origins = headers.get_all(header::ORIGIN).iter();
        let (origin, second) = (origins.next(), origins.next());
        match (sites.next(), sites.next()) {
            (None, _) => {}
            (Some(site), None) if matches!(site.as_bytes(), b"same-origin" | b"none") => {
                return Ok(());
            }
            _ => return Err(CrossSite("fetch-metadata")),
        }
        match origin {
            Some(_) if second.is_some() => Err(CrossSite("origin")),
            Some(origin) => {
                let ours = origin.to_str().is_ok_and(|origin| self.is_ours(origin));
                ours.then_some(()).ok_or(CrossSite("origin"))
            }
            // No browser that is worth defending leaves both out; what does is a program, whose credential is in a header.
            None if headers.contains_key(header::COOKIE) => Err(CrossSite("cookie")),
            None => Ok(()),
        }
    }

    /// An allowed host; over https and on its usual port in production.
    fn is_ours(&self, origin: &str) -> bool {
        let Ok(url) = Url::parse(origin) else {
            return false;
        };
        let exact = url.origin().ascii_serialization() == origin;
        let host = url.host_str().is_some_and(|host| self.hosts.allows(host));
        let scheme = match self.env {
            Environment::Production => url.scheme() == "https" && url.port().is_none(),
            Environment::Development => matches!(url.scheme(), "http" | "https"),
        };
        exact && host && scheme
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Raw, Setting as _};

    type Headers<'a> = &'a [(&'static str, &'a str)];

    fn check(env: Environment, method: Method, headers: Headers<'_>) -> Option<&'static str> {
        let same = SameSite {
            hosts: AllowedHosts::read(Raw::Text("api.example.org,localhost")).unwrap(),
            env,
        };
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        same.check(&method, &map, || false).err().map(|sign| sign.0)
    }

    #[test]
    fn refuses_unsafe_requests_of_other_sites_and_no_others() {
        use Environment::{Development, Production};
        let cases: &[(Environment, Headers<'_>, Option<&str>)] = &[
            (Production, &[], None),
            (Production, &[("authorization", "Bearer x")], None),
            (Production, &[("cookie", "a=b")], Some("cookie")),
            (
                Production,
                &[("cookie", "a=b"), ("authorization", "Bearer x")],
                Some("cookie"),
            ),
            (
                Production,
                &[("sec-fetch-site", "same-origin"), ("cookie", "a=b")],
                None,
            ),
            (Production, &[("sec-fetch-site", "none")], None),
            (
                Production,
                &[("sec-fetch-site", "cross-site")],
                Some("fetch-metadata"),
            ),
            (
                Production,
                &[("sec-fetch-site", "same-site")],
                Some("fetch-metadata"),
            ),
            (
                Production,
                &[("sec-fetch-site", "SAME-ORIGIN")],
                Some("fetch-metadata"),
            ),
            (
                Production,
                &[
                    ("sec-fetch-site", "same-origin"),
                    ("sec-fetch-site", "cross-site"),
                ],
                Some("fetch-metadata"),
            ),
            (
                Production,
                &[
                    ("sec-fetch-site", "cross-site"),
                    ("origin", "https://api.example.org"),
                ],
                Some("fetch-metadata"),
            ),
            (Production, &[("origin", "https://api.example.org")], None),
            (
                Production,
                &[("origin", "https://api.example.org"), ("cookie", "a=b")],
                None,
            ),
            (
                Production,
                &[("origin", "http://api.example.org")],
                Some("origin"),
            ),
            (
                Production,
                &[("origin", "https://api.example.org:8443")],
                Some("origin"),
            ),
            (
                Production,
                &[("origin", "https://api.example.org.evil.org")],
                Some("origin"),
            ),
            (
                Production,
                &[("origin", "https://evil.org"), ("host", "evil.org")],
                Some("origin"),
            ),
            (Production, &[("origin", "null")], Some("origin")),
            (
                Production,
                &[("origin", "https://api.example.org/")],
                Some("origin"),
            ),
            (Development, &[("origin", "http://localhost:3000")], None),
            (
                Development,
                &[("origin", "http://evil.org")],
                Some("origin"),
            ),
        ];
        for (env, headers, expected) in cases {
            assert_eq!(check(*env, Method::POST, headers), *expected, "{headers:?}");
            assert_eq!(check(*env, Method::GET, headers), None, "safe: {headers:?}");
        }
        assert_eq!(
            check(Production, Method::DELETE, &[("origin", "null")]),
            Some("origin")
        );
    }
}
