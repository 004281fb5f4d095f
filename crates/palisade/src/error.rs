//! What went wrong, told twice: to the operator in the log, to the caller as a problem document.
//!
//! Follows RFC 9457 (problem details for HTTP APIs).

mod document;
mod text;

use std::backtrace::Backtrace;
use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::Value;

pub(crate) use document::Kind;
/// Makes an enum the app's own problems: each variant one answer, in literal texts, and `?` works on it.
///
/// `status` (400 to 599) and `title` are required, `detail` says more. The problem's stable URI is `urn:problem:` and the
/// variant's name in kebab case. A variant may carry fields; the client never sees them.
///
/// # Example
/// ```
/// use palisade::Result;
/// use palisade::error::problem;
///
/// #[problem]
/// enum Trouble {
///     #[problem(status = 409, title = "The title is taken", detail = "Choose another one")]
///     TitleTaken,
/// }
///
/// fn rename(taken: bool) -> Result<()> {
///     if taken {
///         Err(Trouble::TitleTaken)?;
///     }
///     Ok(())
/// }
/// assert_eq!(rename(true).unwrap_err().status(), 409);
/// ```
pub use palisade_macros::problem;
pub use text::{ClientText, Problem};

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
pub struct Error(Box<Inner>);

struct Inner {
    status: StatusCode,
    kind: &'static str,
    title: &'static str,
    detail: Option<&'static str>,
    violations: Vec<Violation>,
    members: Vec<(&'static str, Value)>,
    headers: Vec<(HeaderName, HeaderValue)>,
    cause: Option<Box<dyn StdError + Send + Sync>>,
    backtrace: Option<Backtrace>,
    of_app: bool,
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
    ///
    /// A status that is no error (below 400) becomes 500: a failure never looks like a success.
    pub fn new(status: StatusCode, kind: &'static str, title: &'static str) -> Self {
        let failed = status.is_client_error() || status.is_server_error();
        let status = if failed {
            status
        } else {
            StatusCode::INTERNAL_SERVER_ERROR
        };
        Self(Box::new(Inner {
            status,
            kind,
            title,
            detail: None,
            violations: Vec::new(),
            members: Vec::new(),
            headers: Vec::new(),
            cause: None,
            backtrace: None,
            of_app: false,
        }))
    }

    /// 400: the request could not be read as what it claims to be.
    pub fn bad_request(detail: impl ClientText) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "bad-request",
            "The request could not be read",
        )
        .with_detail(detail)
    }

    /// 401: no credential, or not a valid one.
    pub fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "Sign in first")
            .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
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
    pub fn conflict(detail: impl ClientText) -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "conflict",
            "This conflicts with what is there",
        )
        .with_detail(detail)
    }

    /// 405: not with this method; `allow` lists those that are served, such as `"GET, HEAD"`.
    pub fn method_not_allowed(allow: HeaderValue) -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method-not-allowed",
            "This method is not served here",
        )
        .with_header(header::ALLOW, allow)
    }

    /// 408: the request took too long to arrive.
    pub fn request_timeout() -> Self {
        Self::new(
            StatusCode::REQUEST_TIMEOUT,
            "request-timeout",
            "The request took too long to arrive",
        )
    }

    /// 410: it was here, and will not come back.
    pub fn gone() -> Self {
        Self::new(StatusCode::GONE, "gone", "This is no longer here")
    }

    /// 412: a condition of the request (`If-Match` and its like) does not hold.
    pub fn precondition_failed() -> Self {
        Self::new(
            StatusCode::PRECONDITION_FAILED,
            "precondition-failed",
            "It was changed in the meantime",
        )
    }

    /// 428: the change must name the version that it changes, by `If-Match`.
    pub fn precondition_required() -> Self {
        Self::new(
            StatusCode::PRECONDITION_REQUIRED,
            "precondition-required",
            "Name the version that you change",
        )
    }

    /// 429: too much in too short a time; it may be tried again after so many seconds.
    pub fn too_many_requests(seconds: u32) -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too-many-requests",
            "Too many requests",
        )
        .with_header(header::RETRY_AFTER, seconds.max(1).into())
    }

    /// 431: a header, or all of them together, are too large.
    pub fn headers_too_large() -> Self {
        Self::new(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "headers-too-large",
            "The headers are too large",
        )
    }

    /// 504: the handler took longer than it may.
    pub fn timed_out() -> Self {
        Self::new(
            StatusCode::GATEWAY_TIMEOUT,
            "timed-out",
            "The answer took too long",
        )
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
    pub fn unsupported_media_type(detail: impl ClientText) -> Self {
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
        .with_header(header::RETRY_AFTER, HeaderValue::from_static("5"))
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
    pub fn with_detail(mut self, detail: impl ClientText) -> Self {
        self.0.detail = Some(detail.text());
        self
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// Adds a member to the problem document (RFC 9457, section 3.2), for a client that can act on it.
    #[must_use]
    pub(crate) fn with_member(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.0.members.push((name, value.into()));
        self
    }

    /// Keeps the cause for the log; the caller never sees it.
    #[must_use]
    pub fn caused_by(mut self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.cause = Some(cause.into());
        self.0.backtrace = Some(Backtrace::capture());
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

    /// What class of problems this is, in words.
    pub fn title(&self) -> &'static str {
        self.0.title
    }

    /// The headers that the answer carries.
    pub fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.0.headers
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
