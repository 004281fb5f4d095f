//! Everything that keeps a service from starting, told at once.

use std::fmt;

/// Every problem of a start at once, each with its source and its fix.
///
/// The settings make one, and so do migrations, routes, services and statements: [`merge`](Refusal::merge) them, and show
/// the whole list once.
///
/// # Security
/// Names, places and rules only: no value of a setting is ever part of a problem.
///
/// # Example
/// ```
/// use palisade::config::{Problem, Refusal};
/// let mut refusal = Refusal::default();
/// refusal.add(Problem::new("`PORT` is not a whole number", "the environment", "write a number, such as 3000"));
/// assert_eq!(
///     refusal.to_string(),
///     "the service does not start: 1 problem\n\n\
///      1. `PORT` is not a whole number\n   \
///         from: the environment\n   \
///         fix:  write a number, such as 3000\n",
/// );
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Refusal(Vec<Problem>);

/// One problem of a start: what is wrong, where it stands, what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong, in one line; never a value.
    pub what: String,
    /// Where: a file and line, a variable, a route.
    pub source: String,
    /// What to write or to run instead.
    pub fix: String,
}

impl Problem {
    /// A problem, its source and its fix.
    pub fn new(what: impl Into<String>, source: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            source: source.into(),
            fix: fix.into(),
        }
    }
}

impl Refusal {
    /// Adds one problem; the same one twice counts once.
    pub fn add(&mut self, problem: Problem) {
        if !self.0.contains(&problem) {
            self.0.push(problem);
        }
    }

    /// Adds all problems of another refusal.
    pub fn merge(&mut self, other: Self) {
        other.0.into_iter().for_each(|problem| self.add(problem));
    }

    /// Whether nothing speaks against a start.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The problems in the order in which they were found.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.0
    }

    /// `value` when there is no problem.
    ///
    /// # Errors
    /// The refusal itself when it holds a problem.
    pub fn or<T>(self, value: T) -> Result<T, Self> {
        if self.is_empty() {
            Ok(value)
        } else {
            Err(self)
        }
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

/// `?` on any error while the app is put together: the error's own text becomes the problem.
///
/// # Security
/// That text is another library's. It goes to the operator's terminal alone; a library that prints secrets in its errors
/// needs a [`Problem`] of your own words instead.
impl<E: std::error::Error> From<E> for Refusal {
    fn from(error: E) -> Self {
        let mut what = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            what = format!("{what}: {cause}");
            source = cause.source();
        }
        Problem::new(
            what,
            "the code that puts the app together",
            "mend what the message names, or add what it misses",
        )
        .into()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        let noun = if count == 1 { "problem" } else { "problems" };
        writeln!(f, "the service does not start: {count} {noun}")?;
        let width = count.to_string().len();
        for (number, problem) in self.0.iter().enumerate() {
            let Problem { what, source, fix } = problem;
            let number = number + 1;
            writeln!(f, "\n{number:>width$}. {what}")?;
            writeln!(f, "{:width$}  from: {source}", "")?;
            writeln!(f, "{:width$}  fix:  {fix}", "")?;
        }
        Ok(())
    }
}

/// The same text as `Display`, since that is what a `main` that returns an error prints.
impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
