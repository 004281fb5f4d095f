//! Credentials become an actor; the ready routes for it.

mod accounts;
mod api_key;
mod change;
mod client;
mod cookie;
mod credential;
mod device;
mod erasure;
mod jwt;
mod lockout;
mod mails;
mod password;
mod presented;
mod refresh;
mod roles;
mod routes;
mod second_factor;
mod session;
mod shown;
mod sign_in;
mod sweep;
mod verified;

pub use accounts::{AccessToken, Accounts};
pub use api_key::{ApiClient, ApiKey, ApiKeys, NoScope};
pub use jwt::{JwtCheck, JwtKey, TokenError};
#[doc(hidden)]
pub use jwt::{Open, Pinned};
pub use mails::{English, Link, Message, Notice, Templates};
pub use password::{
    BreachedList, BreachedPasswords, BreachedRange, PasswordHash, Passwords, Verdict,
};
pub use roles::ManageAccounts;
pub use routes::{admin_routes, api_key_routes, routes};
pub use session::Session;

pub(crate) use accounts::{ACCOUNTS, MIGRATIONS, unknown_pepper};
pub(crate) use api_key::unknown_scopes;
pub(crate) use roles::unknown_roles;
