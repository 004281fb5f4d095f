//! What went wrong, told twice: to the operator in the log, to the caller as a problem document.
//!
//! Follows RFC 9457 (problem details for HTTP APIs).

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

use http::StatusCode;

/// What a handler returns: its answer, or an [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failed request: the sanitized problem that the caller sees, and the cause that only the log sees.
///
/// `?` turns any [`std::error::Error`] into a silent 500.
///
/// # Security
/// Texts for the caller are `&'static str`, so nothing that was computed (a driver's message, an input) can leak through them.
///
/// # Example
/// ```
/// use palisade::Error;
/// let refused = Error::conflict("this title is taken");
/// assert_eq!(refused.status(), 409);
/// ```
pub struct Error(Box<Problem>);

struct Problem {
    status: StatusCode,
    kind: &'static str,
    title: &'static str,
    detail: Option<&'static str>,
    violations: Vec<Violation>,
    headers: Vec<(http::HeaderName, http::HeaderValue)>,
    cause: Option<Box<dyn StdError + Send + Sync>>,
}

/// One input that broke one rule.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Violation {
    /// Where it stands in the body, query, path or header: a JSON pointer (RFC 6901) in the names of the wire.
    pub pointer: String,
    /// A stable code for programs, such as `too_long`.
    pub code: Cow<'static, str>,
    /// The rule in words; never the value.
    pub detail: Cow<'static, str>,
}

impl Error {
    /// A problem of the given status; `kind` ends its stable URI, `title` names the class of problems.
    pub fn new(status: StatusCode, kind: &'static str, title: &'static str) -> Self {
        Self(Box::new(Problem {
            status,
            kind,
            title,
            detail: None,
            violations: Vec::new(),
            headers: Vec::new(),
            cause: None,
        }))
    }

    /// 400: the request could not be read as what it claims to be.
    pub fn bad_request(detail: &'static str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "bad-request",
            "The request could not be read",
        )
        .with_detail(detail)
    }

    /// 401: no credential, or not a valid one.
    pub fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "Sign in first").with_header(
            http::header::WWW_AUTHENTICATE,
            http::HeaderValue::from_static("Bearer"),
        )
    }

    /// 403: known, but not allowed.
    pub fn forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "This is not allowed")
    }

    /// 404: nothing here, or nothing that this caller may know of.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "There is nothing here")
    }

    /// 409: the state of things forbids it; `detail` says which.
    pub fn conflict(detail: &'static str) -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "conflict",
            "This conflicts with what is there",
        )
        .with_detail(detail)
    }

    /// 413: the body is larger than this route takes.
    pub fn too_large() -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too-large",
            "The body is too large",
        )
    }

    /// 415: the body is of a type that this route does not take.
    pub fn unsupported_media_type(detail: &'static str) -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported-media-type",
            "The body's type is not taken here",
        )
        .with_detail(detail)
    }

    /// 422: what was sent breaks the rules named in `violations`.
    pub fn invalid(violations: Vec<Violation>) -> Self {
        let mut error = Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid-input",
            "The input breaks a rule",
        );
        error.0.violations = violations;
        error
    }

    /// 503: a part that this needs is away for now.
    pub fn unavailable() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "The service is not available now",
        )
        .with_header(
            http::header::RETRY_AFTER,
            http::HeaderValue::from_static("5"),
        )
    }

    /// 500 without a cause; `?` on any error gives one with it.
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Something failed on our side",
        )
    }

    /// Says more to the caller.
    #[must_use]
    pub fn with_detail(mut self, detail: &'static str) -> Self {
        self.0.detail = Some(detail);
        self
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn with_header(mut self, name: http::HeaderName, value: http::HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// Keeps the cause for the log; the caller never sees it.
    #[must_use]
    pub fn caused_by(mut self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The last part of the problem's `type` URI.
    pub fn kind(&self) -> &'static str {
        self.0.kind
    }

    /// What the caller is told beyond the title.
    pub fn detail(&self) -> Option<&'static str> {
        self.0.detail
    }

    /// The inputs that broke a rule, for a 422.
    pub fn violations(&self) -> &[Violation] {
        &self.0.violations
    }

    /// The cause, for the log.
    pub fn cause(&self) -> Option<&(dyn StdError + Send + Sync + 'static)> {
        self.0.cause.as_deref()
    }
}

impl<E: StdError + Send + Sync + 'static> From<E> for Error {
    fn from(cause: E) -> Self {
        Self::internal().caused_by(cause)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("status", &self.0.status.as_u16())
            .field("kind", &self.0.kind)
            .field("detail", &self.0.detail)
            .field("violations", &self.0.violations)
            .field("cause", &self.0.cause.as_ref().map(ToString::to_string))
            .finish()
    }
}
