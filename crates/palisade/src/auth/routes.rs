//! The ready routes of accounts, one file a mechanism.

mod email;
mod jwks;
mod me;
mod password;
mod reset;
mod sign_in;
mod sign_out;
mod sign_up;
mod tokens;
mod verify;

use crate::auth::presented::Presented;
use crate::endpoint::Routes;
use crate::input::{Email, Password};
use palisade_macros::{input, output};

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

/// The ready routes: `POST /auth/sign-up`, `/auth/sign-in`, `/auth/refresh`, `/auth/sign-out`, `/auth/verify`, `/auth/verify/resend`,
/// `/auth/reset`, `/auth/reset/confirm`, `/auth/password`, `/auth/email`, `/auth/email/confirm`, `/auth/email/cancel`, `GET /auth/me`
/// and `/.well-known/jwks.json`.
///
/// # Security
/// Sign-up answers 201 for a taken address too, and sign-in and reset do the same work for an unknown one, so that none tells who
/// has an account. Sign-out ends the presented token and its refresh token at once.
pub fn routes() -> Routes {
    palisade_macros::routes![
        sign_up::sign_up,
        sign_in::sign_in,
        tokens::refresh,
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
        jwks::jwks
    ]
}
