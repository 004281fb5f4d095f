//! Credentials become an actor; the ready routes for it.

mod jwt;
mod password;
mod routes;

pub use jwt::{AccessTokens, TokenError};
pub use password::Passwords;
pub use routes::{Accounts, routes};

pub(crate) use routes::{MIGRATIONS, unknown_roles};
