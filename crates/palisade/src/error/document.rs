//! The two ends of an error: the problem document of RFC 9457, and the line in the log.

use std::backtrace::BacktraceStatus;
use std::error::Error as StdError;

use axum::body::Body;
use http::{HeaderValue, Response, StatusCode, header};
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::{Error, Violation};

#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "type")]
    uri: String,
    title: &'static str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'static str>,
    request_id: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [Violation],
    #[serde(flatten, serialize_with = "as_members")]
    members: &'a [(&'static str, Value)],
}

fn as_members<S: Serializer>(
    members: &&[(&'static str, Value)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(members.iter().map(|(name, value)| (name, value)))
}

/// The kind of the problem that a response is; it goes with the response, for the metrics.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind(pub(crate) &'static str);

impl Error {
    /// The stable URI that names this class of problems: `urn:palisade:problem:<kind>` for the framework's, `urn:problem:<kind>`
    /// for those that an app declares.
    #[must_use]
    pub fn uri(&self) -> String {
        let space = if self.0.of_app {
            "urn:problem"
        } else {
            "urn:palisade:problem"
        };
        format!("{space}:{}", self.kind())
    }

    /// The answer: an `application/problem+json` document (RFC 9457) that carries the request's id.
    ///
    /// # Security
    /// The cause is not in it, and it is not to be stored by caches.
    ///
    /// # Example
    /// ```
    /// use palisade::Error;
    /// let answer = Error::not_found().into_response("018f3c");
    /// assert_eq!(answer.status(), 404);
    /// assert_eq!(answer.headers()["content-type"], "application/problem+json");
    /// ```
    #[must_use]
    pub fn into_response(self, request_id: &str) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body(request_id)));
        *response.status_mut() = self.status();
        response.extensions_mut().insert(Kind(self.kind()));
        let headers = response.headers_mut();
        for (name, value) in self.0.headers {
            headers.append(name, value);
        }
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    /// The document alone.
    pub(crate) fn body(&self, request_id: &str) -> Vec<u8> {
        let document = Document {
            uri: self.uri(),
            title: self.title(),
            status: self.status().as_u16(),
            detail: self.detail(),
            request_id,
            errors: self.violations(),
            members: &self.0.members,
        };
        serde_json::to_vec(&document).unwrap_or_default()
    }

    /// Writes it to the log: 5xx as an error with its causes, what a client did wrong as a debug line, and so a 503 without a cause:
    /// that is a decision, and no failure.
    ///
    /// The backtrace is there when `RUST_BACKTRACE=1` asks for it.
    pub fn log(&self) {
        let (status, kind) = (self.status().as_u16(), self.kind());
        let cause = self.causes();
        let decided = self.status() == StatusCode::SERVICE_UNAVAILABLE && cause.is_none();
        if self.status().is_server_error() && !decided {
            let backtrace = self
                .0
                .backtrace
                .as_ref()
                .filter(|trace| trace.status() == BacktraceStatus::Captured);
            let backtrace = backtrace.map(ToString::to_string);
            tracing::error!(target: "palisade::error", status, kind, cause, backtrace, "request failed");
        } else {
            tracing::debug!(target: "palisade::error", status, kind, cause, "request refused");
        }
    }

    /// The cause and what caused it in turn, in one line for the operator.
    #[must_use]
    pub fn causes(&self) -> Option<String> {
        let mut text = self.cause()?.to_string();
        let mut next = self.cause().and_then(StdError::source);
        while let Some(cause) = next {
            let more = cause.to_string();
            // Many libraries repeat their source in their own text.
            if !text.contains(&more) {
                text = format!("{text}: {more}");
            }
            next = cause.source();
        }
        // One entry stays one line, whatever the cause holds (CWE-117).
        Some(text.replace(|c: char| c.is_control(), " "))
    }
}
