//! Plain HTTP where HTTPS is spoken: a client that only reads is sent on, everybody else is refused.

use axum::body::Body;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};

use crate::config::{AllowedHosts, Config};
use crate::error::Error;
use crate::event::Event;
use crate::perimeter::{Connection, Perimeter};

/// The way to HTTPS.
#[derive(Debug, Clone)]
pub(super) struct Redirect {
    hosts: AllowedHosts,
    port: u16,
}

impl Redirect {
    pub(super) fn new(config: &Config) -> Self {
        let public = config.tls.as_ref().and_then(|tls| tls.public_port);
        Self {
            hosts: config.allowed_hosts.clone(),
            port: public.unwrap_or(config.port),
        }
    }

    /// Answers a request that came over plain HTTP: 308 for `GET` and `HEAD` on an allowed host, 421 or 403 otherwise.
    ///
    /// # Security
    /// The redirect comes too late for a credential that was sent along: an event says so. Nothing of it is answered, and
    /// no `Strict-Transport-Security` either, which a client must ignore here (RFC 6797, 7.2).
    pub(super) fn answer<B>(
        &self,
        perimeter: &Perimeter,
        connection: &Connection,
        request: &Request<B>,
    ) -> Response<Body> {
        let sent = request.headers();
        let mut response = perimeter.answer(connection, Some((request.method(), sent)), |_| {
            if sent.contains_key(header::AUTHORIZATION) || sent.contains_key(header::COOKIE) {
                Event::CredentialInPlainText.emit();
            }
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
            let place = self.secure_place(request)?;
            response.headers_mut().insert(header::LOCATION, place);
            Ok(response)
        });
        let headers = response.headers_mut();
        headers.remove(header::STRICT_TRANSPORT_SECURITY);
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        response
    }

    fn secure_place<B>(&self, request: &Request<B>) -> Result<HeaderValue, Error> {
        let named = request
            .headers()
            .get(header::HOST)
            .and_then(|host| host.to_str().ok());
        let host = request.uri().authority().map(|own| own.as_str()).or(named);
        let Some(host) = host.filter(|host| self.hosts.allows(host)) else {
            Event::HostRefused.emit();
            return Err(Error::new(
                StatusCode::MISDIRECTED_REQUEST,
                "misdirected",
                "This host is not served here",
            ));
        };
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return Err(Error::new(
                StatusCode::FORBIDDEN,
                "https-required",
                "This is served over HTTPS alone",
            ));
        }
        let name = match host.rsplit_once(':') {
            Some((name, digits)) if digits.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        };
        let path = request
            .uri()
            .path_and_query()
            .map_or("/", |path| path.as_str());
        let place = match self.port {
            443 => format!("https://{name}{path}"),
            port => format!("https://{name}:{port}{path}"),
        };
        HeaderValue::try_from(place)
            .map_err(|_| Error::bad_request("the address cannot be written as a location"))
    }
}
