//! Credentials become an actor; the ready routes for it.

mod accounts;
mod change;
mod client;
mod device;
mod jwt;
mod lockout;
mod mails;
mod password;
mod presented;
mod refresh;
mod routes;
mod sweep;

pub use accounts::{AccessToken, Accounts};
pub use jwt::{JwtCheck, JwtKey, TokenError};
#[doc(hidden)]
pub use jwt::{Open, Pinned};
pub use mails::{English, Link, Message, Notice, Templates};
pub use password::{
    BreachedList, BreachedPasswords, BreachedRange, PasswordHash, Passwords, Verdict,
};
pub use routes::routes;

pub(crate) use accounts::{MIGRATIONS, unknown_pepper, unknown_roles};
