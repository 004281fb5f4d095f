//! The ready routes of accounts, one file a mechanism.

mod account;
mod admin;
mod api_keys;
mod export;
mod jwks;
mod me;
mod reauthenticate;
mod second_factor;
mod session;
mod sessions;
mod sign_in;
mod sign_out;
mod sign_up;
mod tokens;

use crate::endpoint::Routes;
use crate::input::{Email, Password};
use palisade_macros::input;

pub(super) use session::SessionEntered;
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

/// The ready routes: `POST /auth/sign-up`, `/auth/sign-in`, `/auth/refresh`, `/auth/sign-out`; `POST` and `DELETE /auth/session`,
/// `GET` and `DELETE /auth/sessions`, `DELETE /auth/sessions/{session}`; `POST /auth/reauthenticate`;
/// `POST /auth/sign-in/second-factor`, `GET /auth/second-factor`, `POST` and `DELETE /auth/totp`, `POST /auth/totp/confirm`,
/// `POST /auth/recovery-codes`; `DELETE /auth/account`, `GET /auth/export`; `GET /auth/me` and `/.well-known/jwks.json`.
///
/// # Security
/// Sign-up answers 201 for a taken address too, and sign-in does the same work for an unknown one, so that neither tells who
/// has an account. Sign-out ends the presented token and its refresh token at once.
pub fn routes() -> Routes {
    palisade_macros::routes![
        sign_up::sign_up,
        sign_in::sign_in,
        tokens::refresh,
        session::begin,
        session::end,
        sessions::list,
        sessions::end_one,
        sessions::end_others,
        reauthenticate::reauthenticate,
        second_factor::answer,
        second_factor::show,
        second_factor::enroll,
        second_factor::confirm,
        second_factor::remove,
        second_factor::new_recovery_codes,
        sign_out::sign_out,
        me::me,
        account::delete,
        export::export,
        jwks::jwks
    ]
}

/// The routes of an administrator, under `/auth/admin`: accounts are listed, shown, unlocked, signed out, disabled and deleted, and roles are
/// given and taken away.
///
/// Who may call them has a role that carries [`ManageAccounts`](super::ManageAccounts):
/// `.role(Role::new("admin").may::<auth::ManageAccounts>())`. The first one is made on the command line, `notes grant admin ann@example.org`.
///
/// # Security
/// What changes something also asks for [`Fresh`](crate::access::Fresh). Nobody manages an account that may do more than they, gives a role that
/// carries more, and nothing takes away the last account that may manage accounts. Each change is an event with who did it.
pub fn admin_routes() -> Routes {
    palisade_macros::routes![
        admin::accounts,
        admin::account,
        admin::roles,
        admin::grant,
        admin::revoke,
        admin::disable,
        admin::enable,
        admin::unlock,
        admin::sign_out,
        admin::delete
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
