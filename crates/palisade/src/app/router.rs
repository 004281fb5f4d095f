//! The routes as a router: what a matched request goes through, and what answers when none matches.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRequestParts as _, RawPathParams, Request};
use axum::response::Response;
use axum::routing::{MethodFilter, on_service};
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use tower::service_fn;

use super::misses::Misses;
use crate::config::{Config, Rate};
use crate::endpoint::Route;
use crate::error::Error;
use crate::event::{Event, RequestContext};
use crate::input::{Incoming, Services, Terms};
use crate::perimeter::{describe, policy};
use crate::store::Limiter;

/// One route, with all that its requests need.
struct Served {
    route: Route,
    /// Its place in the route table.
    number: usize,
    terms: Arc<Terms>,
    policy: Option<HeaderValue>,
    misses: Arc<Misses>,
}

pub(super) fn router(
    routes: &[Route],
    config: &Config,
    limiter: &dyn Limiter,
    services: &Arc<Services>,
) -> Router {
    let misses = Arc::new(Misses::new(limiter));
    let mut router = Router::new();
    for (number, route) in routes.iter().enumerate() {
        let served = Served::new(*route, number, config, limiter, services, &misses);
        let served = Arc::new(served);
        let service = service_fn(move |request| dispatch(Arc::clone(&served), request));
        router = router.route(route.path, on_service(filter(route.method), service));
    }
    router
        .fallback(move |request: Request| {
            let misses = Arc::clone(&misses);
            async move {
                misses.note(&context_of(&request)).await;
                refuse(request, Error::not_found()).await
            }
        })
        .method_not_allowed_fallback(|request: Request| {
            // axum adds the `Allow` header from its own table.
            let error = Error::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "This method is not taken here",
            );
            Event::RequestRefused {
                reason: error.kind(),
            }
            .emit();
            refuse(request, error)
        })
}

/// The name and the rate of a route's own limit; `None` when it has none, an error when its class is not known.
pub(super) fn limit_of(
    route: &Route,
    config: &Config,
) -> Result<Option<(&'static str, Rate)>, &'static str> {
    let limits = &config.limits;
    match route.limit {
        None => Ok(None),
        Some("sign-in") => Ok(Some(("sign-in", limits.sign_in))),
        Some("sign-up") => Ok(Some(("sign-up", limits.sign_up))),
        Some("refresh") => Ok(Some(("refresh", limits.refresh))),
        Some("recovery") => Ok(Some(("recovery", limits.recovery))),
        Some("auth") => Ok(Some(("auth", limits.auth))),
        Some(text) => match (Rate::parse(text), limits.classes.get(text)) {
            (Some(rate), _) => Ok(Some((route.path, rate))),
            (None, Some(rate)) => Ok(Some((text, rate))),
            (None, None) => Err(text),
        },
    }
}

impl Served {
    fn new(
        route: Route,
        number: usize,
        config: &Config,
        limiter: &dyn Limiter,
        services: &Arc<Services>,
        misses: &Arc<Misses>,
    ) -> Self {
        // An unknown class has kept the app from being built.
        let limit = limit_of(&route, config).ok().flatten();
        let counted = limit.map(|(name, rate)| {
            // Two methods at one path are two limits; handlers of one class share theirs.
            let own = format!("{} {name}", route.method);
            let shared = if name == route.path { &own } else { name };
            (name, limiter.limit(shared, rate))
        });
        let body_limit = route.body_limit.unwrap_or(config.body_limit.bytes());
        Self {
            terms: Arc::new(Terms {
                query_keys: route.query_keys,
                body_limit: usize::try_from(body_limit).unwrap_or(usize::MAX),
                body_timeout: config.limits.body_timeout,
                body_rate: config.limits.body_rate.bytes(),
                limit: counted,
                services: Arc::clone(services),
            }),
            policy: limit.map(|(name, rate)| policy(name, rate)),
            misses: Arc::clone(misses),
            route,
            number,
        }
    }
}

fn filter(method: &str) -> MethodFilter {
    match method {
        "POST" => MethodFilter::POST,
        "PUT" => MethodFilter::PUT,
        "PATCH" => MethodFilter::PATCH,
        "DELETE" => MethodFilter::DELETE,
        _ => MethodFilter::GET,
    }
}

fn context_of(request: &Request) -> Arc<RequestContext> {
    let carried = || request.extensions().get::<Arc<RequestContext>>().cloned();
    RequestContext::current()
        .or_else(carried)
        .unwrap_or_else(|| Arc::new(RequestContext::of_nobody()))
}

async fn refuse(request: Request, error: Error) -> Response {
    error.into_response(context_of(&request).id().as_str())
}

async fn dispatch(served: Arc<Served>, request: Request) -> Result<Response, Infallible> {
    let context = context_of(&request);
    let route = &served.route;
    context.set_route(route.path, served.number, route.timeout);
    let (mut parts, body) = request.into_parts();
    let outcome = match params(route, &mut parts).await {
        Ok(params) => {
            let terms = Arc::clone(&served.terms);
            let incoming = Incoming::new(parts, body, params, Arc::clone(&context), terms);
            (route.call)(incoming).await
        }
        Err(error) => Err(error),
    };
    if matches!(&outcome, Err(error) if error.status() == StatusCode::NOT_FOUND) {
        served.misses.note(&context).await;
    }
    let mut response = outcome.unwrap_or_else(|error| {
        error.log();
        tell(&error, route.path);
        error.into_response(context.id().as_str())
    });
    if let (Some(policy), Some(left), Some((name, _))) =
        (&served.policy, context.counted(), &served.terms.limit)
    {
        describe(&mut response, policy, name, left);
    }
    Ok(response)
}

/// The parameters of its path, where it has any.
async fn params(route: &Route, parts: &mut Parts) -> Result<Option<RawPathParams>, Error> {
    if !route.path.contains('{') {
        return Ok(None);
    }
    // A segment that is not UTF-8 names nothing.
    let found = RawPathParams::from_request_parts(parts, &()).await;
    found.map(Some).map_err(|_| Error::not_found())
}

/// Raises the event that a refused input is.
fn tell(error: &Error, route: &'static str) {
    match error.status() {
        StatusCode::UNPROCESSABLE_ENTITY => Event::InputRefused {
            route,
            fields: error.violations().len(),
        }
        .emit(),
        StatusCode::BAD_REQUEST
        | StatusCode::REQUEST_TIMEOUT
        | StatusCode::PAYLOAD_TOO_LARGE
        | StatusCode::UNSUPPORTED_MEDIA_TYPE => Event::RequestRefused {
            reason: error.kind(),
        }
        .emit(),
        _ => {}
    }
}
