//! The headers of every response.

use axum::body::Body;
use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue, Response};

use super::cors::{Asked, Cors, Preflight};
use crate::event::RequestId;
use crate::output::PagePolicy;

/// At least what helmet 8 sets, and beyond, for an API that answers JSON alone (OWASP REST security cheat sheet, "security headers";
/// OWASP secure headers project).
const FIXED: [(HeaderName, &str); 14] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'",
    ),
    (
        header::STRICT_TRANSPORT_SECURITY,
        "max-age=63072000; includeSubDomains; preload",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (header::X_XSS_PROTECTION, "0"),
    (header::X_DNS_PREFETCH_CONTROL, "off"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (HeaderName::from_static("origin-agent-cluster"), "?1"),
    (
        HeaderName::from_static("x-permitted-cross-domain-policies"),
        "none",
    ),
    (HeaderName::from_static("x-download-options"), "noopen"),
    (
        HeaderName::from_static("permissions-policy"),
        "accelerometer=(), autoplay=(), camera=(), display-capture=(), encrypted-media=(), fullscreen=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), publickey-credentials-get=(), screen-wake-lock=(), usb=(), web-share=(), xr-spatial-tracking=()",
    ),
];

pub(super) const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const X_POWERED_BY: HeaderName = HeaderName::from_static("x-powered-by");
/// What nearly every answer brings itself: there is a place for each, so that no copy has to grow.
const BROUGHT: [HeaderName; 2] = [header::CONTENT_TYPE, header::CONTENT_LENGTH];

/// Ready maps, of one of which each answer gets a copy: nothing is hashed or parsed for it again.
#[derive(Debug)]
pub(super) struct Headers {
    own: HeaderMap,
    /// For the pages of each allowed origin, in the order of the list.
    open: Vec<HeaderMap>,
}

impl Headers {
    pub(super) fn new(cors: &Cors, client_policy: HeaderValue) -> Self {
        let mut own = HeaderMap::with_capacity(32);
        for (name, value) in FIXED {
            own.insert(name, HeaderValue::from_static(value));
        }
        for name in [X_REQUEST_ID].into_iter().chain(BROUGHT) {
            own.insert(name, HeaderValue::from_static(""));
        }
        own.insert(RATE_LIMIT_POLICY, client_policy);
        let opened: Vec<_> = cors.opened().collect();
        if !opened.is_empty() {
            own.insert(header::VARY, HeaderValue::from_static("origin"));
        }
        let with = |more| {
            let mut open = own.clone();
            open.extend(more);
            open
        };
        Self {
            open: opened.into_iter().map(with).collect(),
            own,
        }
    }

    /// Sets them; what an answer brought itself is kept, unless it is one of ours or names the server.
    pub(super) fn set(&self, response: &mut Response<Body>, id: &RequestId, asked: Asked) {
        let ready = match asked {
            Asked::Allowed(at) => &self.open[at],
            Asked::Nothing | Asked::Foreign => &self.own,
        };
        let mut headers = ready.clone();
        let preflight = response.extensions().get::<Preflight>().is_some();
        if let Some(PagePolicy(policy)) = response.extensions().get() {
            headers.insert(header::CONTENT_SECURITY_POLICY, policy.clone());
        }
        if let Ok(id) = HeaderValue::from_bytes(id.as_bytes()) {
            headers.insert(X_REQUEST_ID, id);
        }
        for name in BROUGHT {
            match response.headers_mut().remove(&name) {
                Some(value) => headers.insert(name, value),
                None => headers.remove(name),
            };
        }
        let mut last = None;
        for (name, value) in std::mem::take(response.headers_mut()) {
            let again = name.is_none();
            if name.is_some() {
                last = name;
            }
            let Some(name) = &last else { continue };
            if *name == header::VARY {
                vary(&mut headers, &value);
            } else if *name == RATE_LIMIT_POLICY {
                headers.insert(RATE_LIMIT_POLICY, value);
            } else if !preflight && name.as_str().starts_with("access-control-") {
                // Who may read is said by the configuration alone.
                continue;
            } else if ready.contains_key(name) || *name == header::SERVER || *name == X_POWERED_BY {
                continue;
            } else if again {
                headers.append(name.clone(), value);
            } else {
                headers.insert(name.clone(), value);
            }
        }
        *response.headers_mut() = headers;
    }
}

/// Adds the words of a handler's `Vary` to ours.
fn vary(headers: &mut HeaderMap, value: &HeaderValue) {
    let ours = headers
        .get(header::VARY)
        .and_then(|ours| ours.to_str().ok());
    let mut words: Vec<&str> = ours.into_iter().flat_map(|ours| ours.split(", ")).collect();
    let theirs = value.to_str().unwrap_or("*").split(',').map(str::trim);
    for word in theirs.filter(|word| !word.is_empty()) {
        if !words.iter().any(|known| known.eq_ignore_ascii_case(word)) {
            words.push(word);
        }
    }
    if let Ok(merged) = HeaderValue::from_str(&words.join(", ")) {
        headers.insert(header::VARY, merged);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{CorsConfig, Origins, Raw, Setting as _};

    fn headers() -> Headers {
        let config = CorsConfig {
            origins: Origins::read(Raw::Text("https://app.example.org")).unwrap(),
            credentials: false,
            max_age: std::time::Duration::from_secs(600),
        };
        let policy = HeaderValue::from_static("\"client\";q=1;w=1");
        Headers::new(&Cors::new(&config, &[]), policy)
    }

    #[test]
    fn opens_an_answer_to_the_allowed_origin_alone() {
        let set = |asked| {
            let mut response = Response::new(Body::empty());
            headers().set(&mut response, &RequestId::new(), asked);
            response.into_parts().0.headers
        };
        let open = set(Asked::Allowed(0));
        assert_eq!(
            open["access-control-allow-origin"],
            "https://app.example.org"
        );
        assert_eq!(open["cross-origin-resource-policy"], "cross-origin");
        for closed in [set(Asked::Nothing), set(Asked::Foreign)] {
            assert!(!closed.contains_key("access-control-allow-origin"));
            assert_eq!(closed["cross-origin-resource-policy"], "same-origin");
        }
    }

    #[test]
    fn keeps_what_an_answer_brings_and_never_loosens() {
        let headers = headers();
        let mut response = Response::new(Body::empty());
        for (name, value) in [
            ("content-type", "application/json"),
            ("set-cookie", "a=1"),
            ("set-cookie", "b=2"),
            ("vary", "Accept-Encoding, Origin"),
            ("x-frame-options", "ALLOWALL"),
            ("cache-control", "public"),
            ("server", "secret/1.0"),
            ("x-powered-by", "x"),
        ] {
            let name = HeaderName::from_static(name);
            response.headers_mut().append(name, value.parse().unwrap());
        }
        headers.set(&mut response, &RequestId::new(), Asked::Nothing);
        let set = response.headers();
        assert_eq!(set["content-type"], "application/json");
        assert!(!set.contains_key("content-length"));
        assert_eq!(set.get_all("set-cookie").iter().count(), 2);
        assert_eq!(set["vary"], "origin, Accept-Encoding");
        assert_eq!(set["x-frame-options"], "DENY");
        assert_eq!(set["cache-control"], "no-store");
        assert!(!set.contains_key("server") && !set.contains_key("x-powered-by"));
    }
}
