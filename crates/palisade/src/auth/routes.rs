//! The ready routes of accounts, one file a mechanism.

mod api_keys;
mod jwks;
mod me;
mod reauthenticate;
mod sign_in;
mod sign_out;
mod sign_up;
mod tokens;

use crate::endpoint::Routes;
use crate::input::{Email, Password};
use palisade_macros::input;

pub(super) use sign_in::{Entered, SignedInView};
pub(super) use tokens::handed_out;

/// What a person signs up with.
#[input]
pub(crate) struct Credentials {
    email: Email,
    password: Password,
}

/// An address in the one spelling that accounts are kept under.
fn address(email: &Email) -> String {
    email.to_ascii_lowercase()
}

/// The ready routes: `POST /auth/sign-up`, `/auth/sign-in`, `/auth/refresh`, `/auth/reauthenticate`,
/// `/auth/sign-out`, `GET /auth/me` and
/// `/.well-known/jwks.json`.
///
/// # Security
/// Sign-up answers 201 for a taken address too, and sign-in does the same work for an unknown one, so that neither tells who
/// has an account. Sign-out ends the presented token and its refresh token at once.
pub fn routes() -> Routes {
    palisade_macros::routes![
        sign_up::sign_up,
        sign_in::sign_in,
        tokens::refresh,
        reauthenticate::reauthenticate,
        sign_out::sign_out,
        me::me,
        jwks::jwks
    ]
}

/// The ready routes of API keys: `POST` and `GET /auth/api-keys`, `POST /auth/api-keys/{api_key}/rotate` and
/// `DELETE /auth/api-keys/{api_key}`. An app without [`ApiClient`](super::ApiClient)s does not need them.
///
/// # Security
/// An account sees and changes its own keys alone, and gives scopes that some route asks for and it may give. To make or rotate one takes a
/// [`Fresh`](crate::access::Fresh) caller; to revoke one does not. A key is shown once, in the answer that makes it. A key opens none of these routes: it cannot make another one.
pub fn api_key_routes() -> Routes {
    palisade_macros::routes![
        api_keys::make,
        api_keys::list,
        api_keys::rotate,
        api_keys::revoke
    ]
}
