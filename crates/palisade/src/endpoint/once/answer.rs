//! An answer that can be given again.

use axum::body::Body;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::event::RequestContext;

/// Says that an answer is that of an earlier request.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// Bytes of a body that is kept.
const MOST: usize = 256 * 1024;

/// What is kept of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    head: Head,
    body: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    status: u16,
    headers: Vec<(String, String)>,
    /// Whether its body was too large to be kept.
    too_large: bool,
}

impl Answer {
    /// What is kept of a handler's outcome, when it is final, and the outcome itself: a 5xx, and what only says to come back later, is not.
    pub(super) async fn of(
        outcome: Result<Response<Body>>,
        context: &RequestContext,
    ) -> (Option<Self>, Result<Response<Body>>) {
        match outcome {
            Ok(response) if is_final(response.status()) => Self::of_response(response).await,
            Err(error) if is_final(error.status()) => {
                let body = error.body(context.id().as_str());
                let mut headers: HeaderMap = error.headers().iter().cloned().collect();
                headers.insert(
                    header::CONTENT_TYPE,
                    HeaderValue::from_static("application/problem+json"),
                );
                let answer = Self::new(error.status(), &headers, body);
                (Some(answer), Err(error))
            }
            outcome => (None, outcome),
        }
    }

    async fn of_response(response: Response<Body>) -> (Option<Self>, Result<Response<Body>>) {
        let (parts, body) = response.into_parts();
        // What palisade answers with is whole in memory already.
        let body = match Limited::new(body, usize::MAX).collect().await {
            Ok(body) => body.to_bytes(),
            Err(cause) => return (None, Err(Error::internal().caused_by(cause))),
        };
        let answer = Self::new(parts.status, &parts.headers, body.to_vec());
        (Some(answer), Ok(Response::from_parts(parts, body.into())))
    }

    fn new(status: StatusCode, headers: &HeaderMap, body: Vec<u8>) -> Self {
        let kept = headers.iter().filter(|(name, _)| is_kept(name));
        let text = |(name, value): (&HeaderName, &HeaderValue)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        };
        let too_large = body.len() > MOST;
        Self {
            head: Head {
                status: status.as_u16(),
                headers: kept.filter_map(text).collect(),
                too_large,
            },
            body: if too_large { Vec::new() } else { body },
        }
    }

    /// A line of JSON, then the body.
    pub(super) fn write(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec(&self.head).unwrap_or_default();
        bytes.push(b'\n');
        bytes.extend_from_slice(&self.body);
        bytes
    }

    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let end = memchr::memchr(b'\n', bytes)?;
        Some(Self {
            head: serde_json::from_slice(&bytes[..end]).ok()?,
            body: bytes[end + 1..].to_vec(),
        })
    }

    /// The same answer once more.
    ///
    /// # Errors
    /// 409 when it was too large to be kept.
    pub(super) fn replayed(self) -> Result<Response<Body>> {
        if self.head.too_large {
            return Err(Error::new(
                StatusCode::CONFLICT,
                "idempotency-answer-lost",
                "This request was done, and its answer is not kept",
            )
            .with_detail("look at what it made; a new key would do it once more"));
        }
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = StatusCode::from_u16(self.head.status)?;
        let headers = response.headers_mut();
        for (name, value) in self.head.headers {
            headers.append(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
        }
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
        Ok(response)
    }
}

/// Whether to ask again would change nothing.
fn is_final(status: StatusCode) -> bool {
    let later = matches!(
        status,
        StatusCode::UNAUTHORIZED
            | StatusCode::REQUEST_TIMEOUT
            | StatusCode::TOO_EARLY
            | StatusCode::TOO_MANY_REQUESTS
    );
    (status.is_success() || status.is_client_error()) && !later
}

/// What describes the body, or where the new thing is; no cookie is given twice.
fn is_kept(name: &HeaderName) -> bool {
    name.as_str().starts_with("content-")
        || [
            header::LOCATION,
            header::ETAG,
            header::LAST_MODIFIED,
            header::LINK,
        ]
        .contains(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers() -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("content-type", "application/json"),
            ("location", "/orders/7"),
            ("set-cookie", "a=b"),
            ("x-request-id", "7"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn is_read_back_as_it_was_without_cookies() {
        let answer = Answer::new(StatusCode::CREATED, &headers(), b"{\n1\n}".to_vec());
        let read = Answer::read(&answer.write()).unwrap();
        assert_eq!(read, answer);
        let response = read.replayed().unwrap();
        assert_eq!(response.status(), 201);
        let names: Vec<&str> = response.headers().keys().map(HeaderName::as_str).collect();
        assert_eq!(names, ["content-type", "location", "idempotent-replayed"]);
    }

    #[test]
    fn says_so_when_it_was_too_large() {
        for (length, fits) in [(MOST, true), (MOST + 1, false)] {
            let answer = Answer::new(StatusCode::OK, &headers(), vec![b'x'; length]);
            let written = answer.write();
            assert_eq!(written.len() > MOST, fits);
            let outcome = Answer::read(&written).unwrap().replayed();
            assert_eq!(
                outcome.map_err(|error| error.kind()).err(),
                (!fits).then_some("idempotency-answer-lost")
            );
        }
    }

    #[test]
    fn is_kept_when_asking_again_would_change_nothing() {
        for (status, kept) in [
            (200, true),
            (201, true),
            (204, true),
            (303, false),
            (400, true),
            (401, false),
            (404, true),
            (408, false),
            (409, true),
            (422, true),
            (425, false),
            (429, false),
            (500, false),
            (503, false),
            (504, false),
        ] {
            assert_eq!(
                is_final(StatusCode::from_u16(status).unwrap()),
                kept,
                "{status}"
            );
        }
    }
}
