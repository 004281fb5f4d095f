//! What may be said to a client: literals of the code, and nothing that was computed.

use http::StatusCode;

use super::Error;

/// A text for the client: a literal of the code.
#[diagnostic::on_unimplemented(
    message = "P0451: the text for the client is a literal, not a `{Self}`",
    label = "computed at run time, so it may hold what a client must not see",
    note = "write the text as a literal, and keep what was computed for the log: `.caused_by(error)`",
    note = "`palisade explain P0451` tells why"
)]
pub trait ClientText: sealed::Literal {
    #[doc(hidden)]
    fn text(self) -> &'static str;
}

impl ClientText for &'static str {
    fn text(self) -> &'static str {
        self
    }
}

mod sealed {
    pub trait Literal {}
    impl Literal for &'static str {}
}

/// An app's own problems: an enum under `#[problem]`, each variant one answer.
///
/// # Example
/// ```
/// use palisade::error::{Error, problem};
///
/// #[problem]
/// enum Trouble {
///     #[problem(status = 409, title = "The title is taken", detail = "Choose another one")]
///     TitleTaken,
/// }
///
/// let error = Error::from(Trouble::TitleTaken);
/// assert_eq!((error.status().as_u16(), error.kind()), (409, "title-taken"));
/// ```
pub trait Problem: Send + Sync + 'static {
    /// The answer's status: 400 to 599.
    fn status(&self) -> StatusCode;
    /// The last part of its stable URI, `urn:problem:<kind>`.
    fn kind(&self) -> &'static str;
    /// The class of problems in words.
    fn title(&self) -> &'static str;
    /// What to do about it.
    fn detail(&self) -> Option<&'static str>;
}

impl Error {
    /// The error of an app's own problem; `#[problem]` calls it, so that `?` works.
    pub fn of_problem(problem: &impl Problem) -> Self {
        let mut error = Self::new(problem.status(), problem.kind(), problem.title());
        error.0.detail = problem.detail();
        error.0.of_app = true;
        error
    }
}
