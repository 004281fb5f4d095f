//! Why the database did not answer as asked. For the log; a caller sees a bare 500 or 503.

use crate::error::Error;

/// Why a statement, a connection or a migration failed.
///
/// # Security
/// A driver's text can quote values, so it is kept as the source, for the log alone.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DbError {
    /// The address names a database that this build or this machine cannot open.
    #[error("{0}")]
    Address(String),
    /// The database could not be reached, or has no connection free in time.
    #[error("database unavailable")]
    Unavailable(#[source] sqlx::Error),
    /// A unique or primary key is taken.
    #[error("unique constraint violated")]
    Unique(#[source] sqlx::Error),
    /// A foreign key, check or not-null rule was broken.
    #[error("constraint violated")]
    Constraint(#[source] sqlx::Error),
    /// The database refused the statement.
    #[error("statement failed")]
    Statement(#[source] sqlx::Error),
    /// A statement took longer than 30 seconds, and was ended.
    #[error("the statement was ended after 30 seconds")]
    TooLong(#[source] sqlx::Error),
    /// A stream took longer than it may.
    #[error("the stream was not read to its end within 30 seconds")]
    Deadline,
    /// A migration could not be applied, or an applied one was changed since.
    #[error("{0}")]
    Migration(String),
    /// A statement that promises one row gave another number of rows.
    #[error("expected {expected}, the statement gave {found}")]
    Count {
        /// What was promised.
        expected: &'static str,
        /// What came.
        found: &'static str,
    },
}

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::error::ErrorKind;
        match &error {
            sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::Io(_)
            | sqlx::Error::Tls(_) => Self::Unavailable(error),
            sqlx::Error::Database(database) => match database.kind() {
                ErrorKind::UniqueViolation => Self::Unique(error),
                ErrorKind::ForeignKeyViolation
                | ErrorKind::NotNullViolation
                | ErrorKind::CheckViolation => Self::Constraint(error),
                _ if matches!(database.code().as_deref(), Some("57014" | "9")) => {
                    Self::TooLong(error)
                }
                _ if is_going_away(database.code().as_deref()) => Self::Unavailable(error),
                _ => Self::Statement(error),
            },
            _ => Self::Statement(error),
        }
    }
}

/// PostgreSQL's classes 08 (connection), 57P (operator intervention) and 53 (insufficient resources), and SQLite's "busy".
fn is_going_away(code: Option<&str>) -> bool {
    code.is_some_and(|code| {
        let busy = code
            .parse::<u32>()
            .is_ok_and(|number| code.len() < 5 && number & 0xff == 5);
        code.starts_with("57P") || code.starts_with("53") || code.starts_with("08") || busy
    })
}

impl DbError {
    pub(crate) fn into_error(self) -> Error {
        match self {
            Self::Unavailable(_) => Error::unavailable().caused_by(self),
            Self::TooLong(_) => Error::timed_out().caused_by(self),
            other => Error::from(other),
        }
    }
}

/// Whether this failed because a unique value is taken, so that a handler can answer 409 in its own words.
///
/// # Example
/// ```
/// # use palisade::{Error, Result};
/// # fn answer(outcome: Result<u64>) -> Result<u64> {
/// outcome.map_err(|error| {
///     if palisade::db::is_unique_violation(&error) { Error::conflict("this name is taken") } else { error }
/// })
/// # }
/// ```
pub fn is_unique_violation(error: &Error) -> bool {
    matches!(
        error
            .cause()
            .and_then(|cause| cause.downcast_ref::<DbError>()),
        Some(DbError::Unique(_))
    )
}
