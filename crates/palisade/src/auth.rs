//! Credentials become an actor; the ready routes for it.

mod accounts;
mod api_key;
mod client;
mod device;
mod jwt;
mod lockout;
mod password;
mod presented;
mod refresh;
mod routes;
mod sign_in;
mod sweep;

pub use accounts::{AccessToken, Accounts};
pub use api_key::{ApiClient, ApiKey, ApiKeys, NoScope};
pub use jwt::{JwtCheck, JwtKey, TokenError};
#[doc(hidden)]
pub use jwt::{Open, Pinned};
pub use password::{
    BreachedList, BreachedPasswords, BreachedRange, PasswordHash, Passwords, Verdict,
};
pub use routes::{api_key_routes, routes};

pub(crate) use accounts::{MIGRATIONS, unknown_pepper, unknown_roles};
pub(crate) use api_key::unknown_scopes;
