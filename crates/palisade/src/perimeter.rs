//! What every request and every response passes, in this one order:
//!
//! 1. its client's address (through declared proxies alone), its id and trace; the log line, whatever happens
//! 2. load: as many as may be are worked on, more are told to come back
//! 3. the limit of the client's requests to the process
//! 4. the form: target, host
//! 5. preflights of other origins, then requests of other sites
//! 6. the route: its own limits, its time, its handler; a panic in it ends this request alone
//! 7. the headers of the answer

mod admission;
mod client_ip;
mod connection;
mod cors;
mod csrf;
mod headers;
mod rate_limit;
mod serve;
mod work;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, HeaderName, Method, Request, Response};
use http_body::Body as _;
use tower::{Layer as _, Service as _};
use tower_governor::governor::Governor;

pub use connection::Connection;
pub(crate) use rate_limit::{describe, policy};
pub use serve::serve;

use admission::Admission;
use cors::Cors;
use csrf::SameSite;
use headers::Headers;
use rate_limit::ByClient;
use work::Outcome;

use crate::config::{Config, TrustedProxies};
use crate::endpoint::Route;
use crate::error::Error;
use crate::event::{self, Access, Event, RequestContext, RequestId, TraceParent};

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Everything that stands around an app's routes.
pub struct Perimeter {
    stack: Governor<ByClient, governor::middleware::NoOpMiddleware, Admission, Body>,
    cors: Arc<Cors>,
    headers: Headers,
    proxies: TrustedProxies,
    handler_timeout: Duration,
    load: Load,
    /// Whether a layer of the app may hand a request to another task, where only its extensions tell of it.
    carries_context: bool,
    summary: String,
}

impl std::fmt::Debug for Perimeter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Perimeter").finish_non_exhaustive()
    }
}

/// How many requests are worked on, and may be.
#[derive(Debug)]
struct Load {
    now: AtomicUsize,
    most: usize,
}

/// One of those requests.
struct Turn<'a>(&'a Load);

impl Load {
    fn turn(&self) -> Option<Turn<'_>> {
        let turn = Turn(self);
        // Counted first and asked then: two that come at once cannot both take the last turn.
        let before = self.now.fetch_add(1, Ordering::Relaxed);
        (before < self.most).then_some(turn)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Perimeter {
    /// The perimeter of these routes, which `router` serves.
    pub fn new(config: &Config, routes: &[Route], router: Router, has_layers: bool) -> Self {
        let cors = Arc::new(Cors::new(&config.cors, routes));
        let same_site = SameSite {
            hosts: config.allowed_hosts.clone(),
            env: config.env,
        };
        let admission = Admission::new(Arc::clone(&cors), same_site, router);
        let limits = &config.limits;
        Self {
            headers: Headers::new(cors.is_open(), policy("client", limits.client)),
            stack: rate_limit::client_layer(limits.client).layer(admission),
            cors,
            proxies: config.trusted_proxies.clone(),
            handler_timeout: config.handler_timeout,
            load: Load {
                now: AtomicUsize::new(0),
                most: limits.concurrency as usize,
            },
            carries_context: has_layers,
            summary: format!(
                "client limit {}/{:?}, {} requests at once, handler timeout {:?}, body limit {} bytes, {} allowed hosts, {} other origins, cross-site defence, security headers, panics caught",
                limits.client.count(),
                limits.client.window(),
                limits.concurrency,
                config.handler_timeout,
                config.body_limit.bytes(),
                config.allowed_hosts.iter().count(),
                config.cors.origins.iter().count(),
            ),
        }
    }

    /// One line for the log: what is on.
    pub fn summary(&self) -> &str {
        &self.summary
    }

    /// Takes one request through all of it.
    pub async fn pass(
        &self,
        connection: &Connection,
        mut request: Request<Body>,
    ) -> Response<Body> {
        let context = Arc::new(self.context(connection, request.headers()));
        let asked = self.cors.asked(request.headers());
        let method = request.method().clone();
        if self.carries_context {
            request.extensions_mut().insert(Arc::clone(&context));
        }
        let unanswered = Unanswered(&context, &method);
        let mut response = match self.load.turn() {
            Some(_turn) => {
                let mut stack = self.stack.clone();
                let work = work::within(&context, self.handler_timeout, || stack.call(request));
                self.outcome(&context, work.await)
            }
            None => {
                context.enter(|| Event::Shed.emit());
                Error::unavailable().into_response(context.id().as_str())
            }
        };
        self.headers.set(&mut response, context.id());
        self.cors.open(asked, response.headers_mut());
        std::mem::forget(unanswered);
        log(
            &context,
            &method,
            response.status().as_u16(),
            response.body().size_hint().exact(),
        );
        response
    }

    fn context(&self, connection: &Connection, headers: &HeaderMap) -> RequestContext {
        let client = client_ip::client(connection.peer, connection.secure, headers, &self.proxies);
        let proxied = self.proxies.trusts(connection.peer);
        let sent = |name: HeaderName| headers.get(name).map(http::HeaderValue::as_bytes);
        let id = proxied
            .then(|| sent(X_REQUEST_ID).and_then(RequestId::parse))
            .flatten();
        let context = RequestContext::new(
            id.unwrap_or_else(RequestId::new),
            client.address,
            client.secure,
            sent(TRACEPARENT).and_then(TraceParent::parse),
        );
        if client.ignored {
            event::forwarding_ignored();
        }
        context
    }

    fn outcome(&self, context: &Arc<RequestContext>, outcome: Outcome) -> Response<Body> {
        let route = context.route().unwrap_or_default();
        let error = match outcome {
            Outcome::Answered(response) => return response,
            Outcome::Panicked => {
                context.enter(|| Event::Crashed { route }.emit());
                Error::internal()
            }
            Outcome::TimedOut => {
                context.enter(|| Event::TimedOut { route }.emit());
                Error::timed_out()
            }
        };
        error.into_response(context.id().as_str())
    }
}

fn log(context: &RequestContext, method: &Method, status: u16, bytes: Option<u64>) {
    event::access(&Access {
        context,
        method: known(method),
        status,
        took: context.elapsed(),
        bytes,
    });
}

/// A method's name; one that a client made up is not written down.
fn known(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "HEAD" => "HEAD",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

/// A request whose client went away before its answer; it has its line all the same, as 499.
struct Unanswered<'a>(&'a RequestContext, &'a Method);

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        log(self.0, self.1, 499, None);
    }
}
