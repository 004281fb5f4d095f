//! Which pages of other origins may call: closed, and then opened for exact origins, by the route table.
//!
//! Follows the Fetch standard, "CORS protocol".

use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};

use axum::body::Body;

use super::sent;
use crate::config::CorsConfig;
use crate::endpoint::Route;

const EXPOSED: HeaderValue = HeaderValue::from_static(
    "idempotent-replayed, ratelimit, ratelimit-policy, retry-after, x-request-id",
);
const REQUEST_METHOD: HeaderName = header::ACCESS_CONTROL_REQUEST_METHOD;

/// The allowed origins, and what the routes take.
#[derive(Debug)]
pub(super) struct Cors {
    origins: Vec<HeaderValue>,
    credentials: bool,
    max_age: HeaderValue,
    paths: Vec<Path>,
}

/// Marks our own answer to a preflight, whose headers no layer could have written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Preflight;

/// What the routes at one path take.
#[derive(Debug)]
struct Path {
    path: &'static str,
    methods: HeaderValue,
    headers: HeaderValue,
}

/// What a request's `Origin` comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// It has none.
    Nothing,
    /// One that is allowed: the place in the list.
    Allowed(usize),
    /// Another one.
    Foreign,
}

impl Cors {
    pub(super) fn new(config: &CorsConfig, routes: &[Route]) -> Self {
        let origins = config.origins.iter();
        Self {
            origins: origins
                .filter_map(|origin| HeaderValue::from_str(origin).ok())
                .collect(),
            credentials: config.credentials,
            max_age: config.max_age.as_secs().into(),
            paths: paths(routes),
        }
    }

    pub(super) fn asked(&self, headers: &HeaderMap) -> Asked {
        let mut origins = sent(headers, header::ORIGIN);
        match (origins.next(), origins.next()) {
            (None, _) => Asked::Nothing,
            (Some(origin), None) => self
                .origins
                .iter()
                .position(|allowed| allowed == origin)
                .map_or(Asked::Foreign, Asked::Allowed),
            _ => Asked::Foreign,
        }
    }

    /// Whether a request of this origin may come with what it carries: cookies only where they are allowed.
    pub(super) fn lets_in(&self, asked: Asked, headers: &HeaderMap) -> bool {
        matches!(asked, Asked::Allowed(_))
            && (self.credentials || !headers.contains_key(header::COOKIE))
    }

    /// Whether this is a browser's question in advance.
    pub(super) fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
        method == Method::OPTIONS
            && headers.contains_key(header::ORIGIN)
            && headers.contains_key(REQUEST_METHOD)
    }

    /// The answer to a preflight, when there is such a path.
    pub(super) fn preflight(&self, path: &str) -> Option<Response<Body>> {
        let found = self.paths.iter().find(|known| matches(known.path, path))?;
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, found.methods.clone());
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, found.headers.clone());
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, self.max_age.clone());
        response.extensions_mut().insert(Preflight);
        Some(response)
    }

    /// What lets the pages of each allowed origin read an answer, in the order of the list.
    pub(super) fn opened(&self) -> impl Iterator<Item = HeaderMap> {
        self.origins.iter().map(|origin| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
            if self.credentials {
                headers.insert(
                    header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
                    HeaderValue::from_static("true"),
                );
            }
            headers.insert(
                HeaderName::from_static("cross-origin-resource-policy"),
                HeaderValue::from_static("cross-origin"),
            );
            headers
        })
    }
}

fn paths(routes: &[Route]) -> Vec<Path> {
    let mut found: Vec<&'static str> = routes.iter().map(|route| route.path).collect();
    found.sort_unstable();
    found.dedup();
    // A literal segment is found before a parameter, as the router does.
    found.sort_by_key(|path| path.matches('{').count());
    let describe = |path: &'static str| {
        let here: Vec<&Route> = routes.iter().filter(|route| route.path == path).collect();
        let mut methods: Vec<&str> = here.iter().map(|route| route.method).collect();
        if methods.contains(&"GET") {
            methods.push("HEAD");
        }
        let body = |route: &&&Route| route.arguments.iter().any(|argument| argument.body);
        let mut headers = Vec::new();
        if here.iter().any(|route| !route.is_public()) {
            headers.push("authorization");
        }
        if here.iter().filter(body).count() > 0 {
            headers.push("content-type");
        }
        if here.iter().any(|route| route.idempotent) {
            headers.push("idempotency-key");
        }
        let text = |words: Vec<&str>| HeaderValue::from_str(&words.join(", ")).ok();
        Some(Path {
            path,
            methods: text(methods)?,
            headers: text(headers)?,
        })
    };
    found.into_iter().filter_map(describe).collect()
}

/// Whether a path is one of this pattern, whose parameters are whole segments.
fn matches(pattern: &str, path: &str) -> bool {
    let (mut pattern, mut path) = (pattern.split('/'), path.split('/'));
    loop {
        match (pattern.next(), path.next()) {
            (None, None) => return true,
            (Some(wanted), Some(given)) if wanted == given => {}
            (Some(wanted), Some(given)) if wanted.starts_with('{') && !given.is_empty() => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Origins, Raw, Setting as _};

    #[test]
    fn finds_a_path_by_whole_segments() {
        assert!(matches("/notes/{note}", "/notes/7"));
        assert!(matches("/notes", "/notes"));
        for other in ["/notes/", "/notes/7/8", "/note/7", "/notes"] {
            assert!(!matches("/notes/{note}", other), "{other}");
        }
    }

    #[test]
    fn allows_exact_origins_alone() {
        let origins = Origins::read(Raw::Text("https://app.example.org")).unwrap();
        let cors = Cors {
            origins: origins
                .iter()
                .map(|origin| origin.parse().unwrap())
                .collect(),
            credentials: false,
            max_age: HeaderValue::from_static("600"),
            paths: Vec::new(),
        };
        let asked = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::ORIGIN, value.parse().unwrap());
            }
            cors.asked(&headers)
        };
        assert_eq!(asked(&[]), Asked::Nothing);
        assert_eq!(asked(&["https://app.example.org"]), Asked::Allowed(0));
        for other in [
            "null",
            "https://app.example.org.evil.org",
            "https://evilapp.example.org",
            "http://app.example.org",
            "https://app.example.org:443",
            "https://APP.example.org",
            "https://app.example.org/",
        ] {
            assert_eq!(asked(&[other]), Asked::Foreign, "{other}");
        }
        assert_eq!(
            asked(&["https://app.example.org", "https://evil.org"]),
            Asked::Foreign
        );
    }
}
