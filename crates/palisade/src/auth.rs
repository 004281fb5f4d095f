//! Credentials become an actor; the ready routes for it.

mod accounts;
mod jwt;
mod password;
mod routes;

pub use accounts::Accounts;
pub use jwt::{AccessTokens, TokenError};
pub use password::{
    BreachedList, BreachedPasswords, BreachedRange, PasswordHash, Passwords, PepperId, Verdict,
};
pub use routes::routes;

pub(crate) use accounts::{MIGRATIONS, unknown_pepper, unknown_roles};
