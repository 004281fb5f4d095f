//! Who is let in to the routes: the form of the request, its host, its origin.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::routing::future::RouteFuture;
use futures_util::future::Either;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Version, header};
use tower::Service as _;

use super::cors::{Asked, Cors};
use super::csrf::SameSite;
use super::sent;
use super::serve::{MAX_HEAD, MAX_HEADERS, Redirect};
use crate::error::Error;
use crate::event::{Event, RequestContext};

/// Characters of a request's target at most.
const MAX_TARGET: usize = 8 * 1024;

/// Refuses, or hands on to the router.
#[derive(Debug)]
pub(super) struct Admission {
    cors: Arc<Cors>,
    same_site: SameSite,
    /// Where to send what came to a declared proxy over plain HTTP.
    redirect: Option<Redirect>,
    router: Router,
}

type Answered = Result<Response<Body>, Infallible>;

/// An answer without a handler, or an error that becomes one.
type Refused = Result<Response<Body>, Error>;

impl Admission {
    pub(super) fn new(
        cors: Arc<Cors>,
        same_site: SameSite,
        redirect: Option<Redirect>,
        router: Router,
    ) -> Self {
        Self {
            cors,
            same_site,
            redirect,
            router,
        }
    }

    /// Takes one request in; `asked` is what its `Origin` comes to.
    pub(super) fn pass(
        &self,
        request: Request<Body>,
        asked: Asked,
    ) -> Either<Ready<Answered>, RouteFuture<Infallible>> {
        match self.check(&request, asked) {
            None => Either::Right(self.router.clone().call(request)),
            Some(Ok(response)) => Either::Left(ready(Ok(response))),
            Some(Err(error)) => {
                let id = RequestContext::current();
                let id = id.as_ref().map_or("", |context| context.id().as_str());
                Either::Left(ready(Ok(error.into_response(id))))
            }
        }
    }

    /// `None` when it may go on.
    fn check(&self, request: &Request<Body>, asked: Asked) -> Option<Refused> {
        // HTTP/1 was counted when it was read.
        if request.version() == Version::HTTP_2 && is_too_large(request.headers()) {
            let error = Error::headers_too_large();
            Event::RequestRefused {
                reason: error.kind(),
            }
            .emit();
            return Some(Err(error));
        }
        let target = request.uri().path_and_query();
        if target.map_or(0, |target| target.as_str().len()) > MAX_TARGET {
            let error = Error::new(
                StatusCode::URI_TOO_LONG,
                "uri-too-long",
                "The address is too long",
            );
            Event::RequestRefused {
                reason: error.kind(),
            }
            .emit();
            return Some(Err(error));
        }
        let is_plain = || RequestContext::with_current(|now| now.is_some_and(|now| now.is_plain()));
        if let Some(redirect) = self.redirect.as_ref().filter(|_| is_plain()) {
            return Some(redirect.to_https(request));
        }
        if !host_of(request).is_some_and(|host| self.same_site.hosts.allows(host)) {
            Event::HostRefused.emit();
            let status = StatusCode::MISDIRECTED_REQUEST;
            return Some(Err(Error::new(
                status,
                "misdirected",
                "This host is not served here",
            )));
        }
        if Cors::is_preflight(request.method(), request.headers()) {
            return Some(self.preflight(asked, request.uri().path()));
        }
        let allowed = || self.cors.lets_in(asked, request.headers());
        let checked = self
            .same_site
            .check(request.method(), request.headers(), allowed);
        checked.err().map(|sign| {
            Event::CrossSiteRefused { sign: sign.0 }.emit();
            Err(Error::forbidden().with_detail("this request comes from another site"))
        })
    }

    fn preflight(&self, asked: Asked, path: &str) -> Refused {
        if asked == Asked::Foreign {
            Event::OriginRefused.emit();
            return Err(Error::forbidden().with_detail("pages of this origin may not call"));
        }
        self.cors.preflight(path).ok_or_else(Error::not_found)
    }
}

/// The host that a request asks for: one, in the target or in one `Host` header (RFC 9110, section 7.2).
pub(super) fn host_of<B>(request: &Request<B>) -> Option<&str> {
    let mut named = sent(request.headers(), header::HOST);
    match (request.uri().authority(), named.next(), named.next()) {
        (Some(authority), None, None) => Some(authority.as_str()),
        (None, Some(host), None) => host.to_str().ok(),
        // Both must say the same: what is checked here is what others read there.
        (Some(authority), Some(host), None) if host == authority.as_str() => {
            Some(authority.as_str())
        }
        _ => None,
    }
}

/// More of a head than HTTP/1 would have been let send.
fn is_too_large(headers: &HeaderMap) -> bool {
    let bytes = |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len() + 4;
    headers.len() > MAX_HEADERS || headers.iter().map(bytes).sum::<usize>() > MAX_HEAD
}
