//! The ready routes of accounts, one file a mechanism.

mod account;
mod admin;
mod api_keys;
mod email;
mod export;
mod jwks;
mod me;
mod password;
mod reauthenticate;
mod reset;
mod second_factor;
mod session;
mod sessions;
mod sign_in;
mod sign_out;
mod sign_up;
mod tokens;
mod verify;

use crate::auth::presented::Presented;
use crate::endpoint::Routes;
use crate::input::{Email, Password};
use palisade_macros::{input, output};

pub(super) use session::SessionEntered;
pub(super) use sign_in::{Entered, SignedInView};
pub(super) use tokens::handed_out;

/// What a person signs up with.
#[input]
pub(crate) struct Credentials {
    email: Email,
    password: Password,
}

/// The address that somebody asks by.
#[input]
pub(crate) struct Asking {
    email: Email,
}

/// What was asked for, whether or not there is such an account.
#[output]
pub(crate) struct Asked {
    email: String,
}

impl Asked {
    fn of(email: &Email) -> Self {
        Self {
            email: address(email),
        }
    }
}

/// The token of a mail.
#[input]
pub(crate) struct Presentation {
    token: Presented,
}

/// An address in the one spelling that accounts are kept under.
pub(super) fn address(email: &Email) -> String {
    email.to_ascii_lowercase()
}

/// The ready routes: `POST /auth/sign-up`, `/auth/sign-in`, `/auth/refresh`, `/auth/sign-out`; `POST` and `DELETE /auth/session`,
/// `GET` and `DELETE /auth/sessions`, `DELETE /auth/sessions/{session}`; `POST /auth/reauthenticate`;
/// `POST /auth/sign-in/second-factor`, `GET /auth/second-factor`, `POST` and `DELETE /auth/totp`, `POST /auth/totp/confirm`,
/// `POST /auth/recovery-codes`; `POST /auth/verify`, `/auth/verify/resend`, `/auth/reset`, `/auth/reset/confirm`, `/auth/password`,
/// `/auth/email`, `/auth/email/confirm`, `/auth/email/cancel`; `DELETE /auth/account`, `GET /auth/export`; `GET /auth/me` and `/.well-known/jwks.json`.
///
/// # Security
/// Sign-up answers 201 for a taken address too, and sign-in and reset do the same work for an unknown one, so that none tells who
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
        verify::verify,
        verify::resend,
        reset::reset,
        reset::confirm,
        password::change_password,
        email::change_email,
        email::confirm_email,
        email::cancel_email,
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
