//! Plain HTTP where HTTPS is spoken: a client that only reads is sent on, everybody else is refused.

use axum::body::Body;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};

use crate::config::{AllowedHosts, Config, Environment, Host};
use crate::error::Error;
use crate::event::Event;
use crate::perimeter::admission::host_of;
use crate::perimeter::{Connection, Perimeter};

/// The way to HTTPS.
#[derive(Debug, Clone)]
pub(in crate::perimeter) struct Redirect {
    hosts: AllowedHosts,
    port: u16,
}

impl Redirect {
    /// To the port on which this process ends TLS.
    pub(super) fn new(config: &Config) -> Self {
        let public = config.tls.as_ref().and_then(|tls| tls.public_port);
        Self {
            hosts: config.allowed_hosts.clone(),
            port: public.unwrap_or(config.port),
        }
    }

    /// To the proxies that end TLS, for what they say came to them over plain HTTP; in production alone.
    pub(in crate::perimeter) fn of_proxies(config: &Config) -> Option<Self> {
        let has_proxies =
            !config.trusted_proxies.is_empty() || matches!(config.host, Host::Socket(_));
        let public = config.tls.as_ref().and_then(|tls| tls.public_port);
        (has_proxies && config.env == Environment::Production).then(|| Self {
            hosts: config.allowed_hosts.clone(),
            port: public.unwrap_or(443),
        })
    }

    /// Answers a request that came over plain HTTP to this process.
    pub(super) fn answer<B>(
        &self,
        perimeter: &Perimeter,
        connection: &Connection,
        request: &Request<B>,
    ) -> Response<Body> {
        let about = Some((request.method(), request.headers()));
        let mut response = perimeter.answer(connection, about, |_| {
            perimeter.counted_in_limit(|| self.to_https(request))
        });
        strip(&mut response);
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
        response
    }

    /// What a request over plain HTTP gets: 308 for `GET` and `HEAD` on an allowed host, 421 or 403 otherwise.
    ///
    /// # Security
    /// The redirect comes too late for a credential that was sent along: an event says so. Nothing of it is answered.
    pub(in crate::perimeter) fn to_https<B>(
        &self,
        request: &Request<B>,
    ) -> Result<Response<Body>, Error> {
        let sent = request.headers();
        if sent.contains_key(header::AUTHORIZATION) || sent.contains_key(header::COOKIE) {
            Event::CredentialInPlainText.emit();
        }
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
        let place = self.secure_place(request)?;
        response.headers_mut().insert(header::LOCATION, place);
        Ok(response)
    }

    fn secure_place<B>(&self, request: &Request<B>) -> Result<HeaderValue, Error> {
        let Some(host) = host_of(request).filter(|host| self.hosts.allows(host)) else {
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
        let malformed = "the address cannot be written as a location";
        let path = Some(request.uri().path()).filter(|path| path.starts_with('/'));
        let path = path.ok_or_else(|| Error::bad_request(malformed))?;
        let mut place = match self.port {
            443 => format!("https://{name}{path}"),
            port => format!("https://{name}:{port}{path}"),
        };
        if let Some(query) = request.uri().query() {
            place.push('?');
            place.push_str(query);
        }
        HeaderValue::try_from(place).map_err(|_| Error::bad_request(malformed))
    }
}

/// Takes away what a client must ignore over plain HTTP: `Strict-Transport-Security` (RFC 6797, 7.2).
pub(in crate::perimeter) fn strip(response: &mut Response<Body>) {
    response
        .headers_mut()
        .remove(header::STRICT_TRANSPORT_SECURITY);
}
