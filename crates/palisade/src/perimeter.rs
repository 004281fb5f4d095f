//! What every request and every response passes, in this one order:
//!
//! 1. its client's address (through declared proxies alone), its id and trace; the log line, whatever happens
//! 2. load: as many as may be are worked on, more are told to come back
//! 3. the limit of the client's requests to the process
//! 4. the form: target, what came to a proxy over plain HTTP, host
//! 5. preflights of other origins, then requests of other sites
//! 6. the route: its own limits, its time, its handler; a panic in it ends this request alone
//! 7. the headers of the answer

mod admission;
mod client_ip;
mod connection;
mod cors;
mod csrf;
mod headers;
mod load;
mod proxy_protocol;
mod rate_limit;
mod serve;
mod tls;
mod work;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response};
use http_body::Body as _;

pub use connection::{ClientCertificate, Connection, Peer};
pub(crate) use load::Load;
pub(crate) use rate_limit::{describe, policy};
pub use serve::{Inherited, Listeners, Serving, serve};
use serve::{Redirect, strip};
pub use tls::Tls;

use admission::Admission;
use cors::{Asked, Cors};
use csrf::SameSite;
use headers::Headers;
use rate_limit::ClientLimit;
use work::Outcome;

use crate::config::{Config, ProxyHeader, TrustedProxies};
use crate::endpoint::Route;
use crate::error::{Error, Kind};
use crate::event::metrics::{Connected, Metrics};
use crate::event::{self, Access, Event, RequestContext, RequestId, TraceParent};

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Everything that stands around an app's routes.
pub struct Perimeter {
    client_limit: ClientLimit,
    admission: Admission,
    cors: Arc<Cors>,
    headers: Headers,
    proxies: TrustedProxies,
    proxy_header: ProxyHeader,
    handler_timeout: Duration,
    load: Arc<Load>,
    /// Whether a layer of the app may hand a request to another task, where only its extensions tell of it.
    carries_context: bool,
    metrics: Option<Arc<Metrics>>,
    summary: String,
}

impl std::fmt::Debug for Perimeter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Perimeter").finish_non_exhaustive()
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
        let redirect = Redirect::of_proxies(config);
        let admission = Admission::new(Arc::clone(&cors), same_site, redirect, router);
        let limits = &config.limits;
        Self {
            headers: Headers::new(&cors, policy("client", limits.client)),
            client_limit: ClientLimit::new(limits.client),
            admission,
            cors,
            proxies: config.trusted_proxies.clone(),
            proxy_header: config.proxy_header,
            handler_timeout: config.handler_timeout,
            load: Arc::new(Load::new(limits.concurrency)),
            carries_context: has_layers,
            metrics: None,
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

    /// The same, with what passes it counted.
    pub(crate) fn counted(mut self, metrics: Arc<Metrics>) -> Self {
        self.metrics = Some(metrics);
        self
    }

    pub(crate) fn load(&self) -> Arc<Load> {
        Arc::clone(&self.load)
    }

    /// Counts a connection as open, for as long as the value lives.
    pub(crate) fn connected(&self) -> Option<Connected> {
        self.metrics.as_ref().map(Metrics::connected)
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
        let unanswered = Unanswered(self, &context, &method);
        let mut response = match self.load.turn(&context) {
            Some(_turn) => {
                let work = pin!(async {
                    match self.client_limit.refusal() {
                        None => self.admission.pass(request, asked).await,
                        Some(refused) => Ok(refused),
                    }
                });
                let outcome = work::within(&context, self.handler_timeout, work).await;
                self.outcome(&context, outcome)
            }
            None => {
                context.enter(|| Event::Shed.emit());
                Error::unavailable().into_response(context.id().as_str())
            }
        };
        self.headers.set(&mut response, context.id(), asked);
        if context.is_plain() {
            strip(&mut response);
        }
        std::mem::forget(unanswered);
        let status = response.status();
        if let Some(metrics) = &self.metrics
            && (status.is_client_error() || status.is_server_error())
        {
            metrics.refused(status.as_u16(), response.extensions().get::<Kind>());
        }
        self.answered(
            &context,
            known(&method),
            status.as_u16(),
            response.body().size_hint().exact(),
        );
        response
    }

    /// Answers what reached no route: what was no request, or came where nothing is served but a way to HTTPS.
    fn answer(
        &self,
        connection: &Connection,
        request: Option<(&Method, &HeaderMap)>,
        answer: impl FnOnce(&RequestContext) -> Result<Response<Body>, Error>,
    ) -> Response<Body> {
        let none = HeaderMap::new();
        let (method, headers) = request.unzip();
        let context = Arc::new(self.context(connection, headers.unwrap_or(&none)));
        let id = context.id();
        let answered = context.enter(|| answer(&context));
        let mut response = answered.unwrap_or_else(|error| error.into_response(id.as_str()));
        self.headers.set(&mut response, id, Asked::Nothing);
        let (status, bytes) = (
            response.status().as_u16(),
            response.body().size_hint().exact(),
        );
        self.answered(&context, method.map_or("-", known), status, bytes);
        response
    }

    /// Counts in the client's limit what reaches no route, inside of [`answer`](Self::answer); one too many gets 429 instead.
    fn counted_in_limit(
        &self,
        answer: impl FnOnce() -> Result<Response<Body>, Error>,
    ) -> Result<Response<Body>, Error> {
        self.client_limit.refusal().map_or_else(answer, Ok)
    }

    fn answered(
        &self,
        context: &RequestContext,
        method: &'static str,
        status: u16,
        bytes: Option<u64>,
    ) {
        let took = context.elapsed();
        if let Some(metrics) = &self.metrics {
            metrics.answered(context.route_number(), method, status, took);
        }
        event::access(&Access {
            context,
            method,
            status,
            took,
            bytes,
        });
    }

    fn context(&self, connection: &Connection, headers: &HeaderMap) -> RequestContext {
        let client = client_ip::client(connection, headers, &self.proxies, self.proxy_header);
        let proxied = client_ip::is_proxy(connection, &self.proxies);
        let sent = |name: HeaderName| sent(headers, name).next().map(HeaderValue::as_bytes);
        let id = proxied
            .then(|| sent(X_REQUEST_ID).and_then(RequestId::parse))
            .flatten();
        let context = RequestContext::new(
            id.unwrap_or_else(RequestId::new),
            client.address,
            client.secure,
            sent(TRACEPARENT).and_then(TraceParent::parse),
            Some(Arc::clone(self.load.turns())),
        )
        .plain(client.plain);
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

/// The values of this name. A request has few headers: looking at each costs less than hashing the name that is asked for.
fn sent(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &HeaderValue> {
    headers
        .iter()
        .filter_map(move |(own, value)| (*own == name).then_some(value))
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
struct Unanswered<'a>(&'a Perimeter, &'a RequestContext, &'a Method);

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        self.0.answered(self.1, known(self.2), 499, None);
    }
}
