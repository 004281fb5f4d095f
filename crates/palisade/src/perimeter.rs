//! What every request and every response passes: the first slice, in the place where the full perimeter will stand.

mod headers;
mod serve;

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use futures_util::FutureExt as _;
use http::{Request, Response, StatusCode, header};
use tower::ServiceExt as _;

pub use serve::serve;

use crate::config::AllowedHosts;
use crate::error::Error;
use crate::input::RequestId;

/// Characters of a request's target at most.
const MAX_TARGET: usize = 8 * 1024;

/// The settings of the perimeter.
#[derive(Debug, Clone)]
pub struct Perimeter {
    /// How long a handler may take.
    pub handler_timeout: Duration,
    /// The names that requests may ask for.
    pub allowed_hosts: AllowedHosts,
}

/// Where the matched route's pattern is left for the log.
#[derive(Debug, Clone, Copy)]
pub struct Pattern(pub &'static str);

impl Perimeter {
    /// One line for the log: what is on.
    pub fn summary(&self) -> String {
        format!(
            "request ids, allowed hosts, body limits, handler timeout {:?}, header timeout, panics caught, security headers, no-store",
            self.handler_timeout
        )
    }

    /// Takes one request through the app.
    pub async fn pass(&self, router: Router, mut request: Request<Body>) -> Response<Body> {
        let started = Instant::now();
        let id = RequestId::new();
        let method = request.method().clone();
        request.extensions_mut().insert(id.clone());
        let mut response = match self.refuse(&request) {
            Some(error) => error.into_response(id.as_str()),
            None => self.answer(router, request, &id).await,
        };
        headers::set(response.headers_mut(), &id);
        let pattern = response
            .extensions()
            .get::<Pattern>()
            .map_or("", |pattern| pattern.0);
        tracing::info!(
            target: "palisade::access",
            method = %method,
            route = pattern,
            status = response.status().as_u16(),
            micros = started.elapsed().as_micros() as u64,
            request_id = id.as_str(),
        );
        response
    }

    fn refuse(&self, request: &Request<Body>) -> Option<Error> {
        let target = request
            .uri()
            .path_and_query()
            .map_or(0, |target| target.as_str().len());
        if target > MAX_TARGET {
            return Some(Error::new(
                StatusCode::URI_TOO_LONG,
                "uri-too-long",
                "The address is too long",
            ));
        }
        let mut named = request.headers().get_all(header::HOST).iter();
        let host = match (request.uri().host(), named.next()) {
            (Some(host), None) => Some(host),
            (_, Some(host)) if named.next().is_none() => host.to_str().ok(),
            _ => None,
        };
        if host.is_some_and(|host| self.allowed_hosts.allows(host)) {
            None
        } else {
            let status = StatusCode::MISDIRECTED_REQUEST;
            Some(Error::new(
                status,
                "misdirected",
                "This host is not served here",
            ))
        }
    }

    async fn answer(
        &self,
        router: Router,
        request: Request<Body>,
        id: &RequestId,
    ) -> Response<Body> {
        let work = AssertUnwindSafe(router.oneshot(request)).catch_unwind();
        match tokio::time::timeout(self.handler_timeout, work).await {
            Ok(Ok(Ok(response))) => response,
            Ok(Ok(Err(never))) => match never {},
            Ok(Err(_)) => {
                tracing::error!(request_id = id.as_str(), "a handler panicked");
                Error::internal().into_response(id.as_str())
            }
            Err(_) => {
                tracing::error!(
                    request_id = id.as_str(),
                    "a handler took longer than its time"
                );
                Error::timed_out().into_response(id.as_str())
            }
        }
    }
}
