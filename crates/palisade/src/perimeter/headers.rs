//! The headers of every response.

use axum::body::Body;
use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue, Response};

use super::cors::Preflight;
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

/// A ready map that each answer gets a copy of: nothing is hashed or parsed for it again.
#[derive(Debug)]
pub(super) struct Headers(HeaderMap);

impl Headers {
    pub(super) fn new(vary_by_origin: bool, client_policy: HeaderValue) -> Self {
        let mut ready = HeaderMap::with_capacity(32);
        for (name, value) in FIXED {
            ready.insert(name, HeaderValue::from_static(value));
        }
        ready.insert(X_REQUEST_ID, HeaderValue::from_static(""));
        ready.insert(RATE_LIMIT_POLICY, client_policy);
        if vary_by_origin {
            ready.insert(header::VARY, HeaderValue::from_static("origin"));
        }
        Self(ready)
    }

    /// Sets them; what an answer brought itself is kept, unless it is one of ours or names the server.
    pub(super) fn set(&self, response: &mut Response<Body>, id: &RequestId) {
        let mut headers = self.0.clone();
        let preflight = response.extensions().get::<Preflight>().is_some();
        if let Some(PagePolicy(policy)) = response.extensions().get() {
            headers.insert(header::CONTENT_SECURITY_POLICY, policy.clone());
        }
        if let Ok(id) = HeaderValue::from_str(id.as_str()) {
            headers.insert(X_REQUEST_ID, id);
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
            } else if is_fixed(name) || *name == header::SERVER || *name == X_POWERED_BY {
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

fn is_fixed(name: &HeaderName) -> bool {
    *name == X_REQUEST_ID || FIXED.iter().any(|(fixed, _)| fixed == name)
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

    #[test]
    fn keeps_what_an_answer_brings_and_never_loosens() {
        let headers = Headers::new(true, HeaderValue::from_static("\"client\";q=1;w=1"));
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
        headers.set(&mut response, &RequestId::new());
        let set = response.headers();
        assert_eq!(set["content-type"], "application/json");
        assert_eq!(set.get_all("set-cookie").iter().count(), 2);
        assert_eq!(set["vary"], "origin, Accept-Encoding");
        assert_eq!(set["x-frame-options"], "DENY");
        assert_eq!(set["cache-control"], "no-store");
        assert!(!set.contains_key("server") && !set.contains_key("x-powered-by"));
    }
}
