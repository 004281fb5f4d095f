//! Credentials become an actor; the ready routes for it.

mod accounts;
mod client;
mod device;
mod jwt;
mod lockout;
mod password;
mod presented;
mod refresh;
mod routes;
mod sweep;

pub use accounts::{AccessToken, Accounts};
pub use jwt::{AccessTokens, TokenError};
pub use password::{
    BreachedList, BreachedPasswords, BreachedRange, PasswordHash, Passwords, PepperId, Verdict,
};
pub use refresh::Family;
pub use routes::routes;

pub(crate) use accounts::{MIGRATIONS, unknown_pepper, unknown_roles};
pub(crate) use jwt::PublicKey;
