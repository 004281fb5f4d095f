//! Credentials for tokens.

use super::address;
use super::tokens::TokenView;
use crate::access::Public;
use crate::auth::Accounts;
use crate::auth::client::Client;
use crate::auth::device::DeviceToken;
use crate::auth::presented::Presented;
use crate::auth::refresh::RefreshToken;
use crate::auth::sign_in::Entry;
use crate::error::Result;
use crate::input::{Email, Json, Password};
use crate::output::Reply;
use palisade_macros::{input, output, post};

/// What a person signs in with.
#[input]
pub(crate) struct SignIn {
    email: Email,
    password: Password,
    device_token: Option<Presented>,
}

/// What sign-in answers: RFC 6749, section 5.1, and a token by which this device is known again.
#[output]
pub(crate) struct SignedInView {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
    refresh_token: RefreshToken,
    refresh_expires_in: u64,
    device_token: DeviceToken,
}

impl SignedInView {
    pub(in crate::auth) fn of(tokens: TokenView, device_token: DeviceToken) -> Self {
        Self {
            access_token: tokens.access_token,
            token_type: tokens.token_type,
            expires_in: tokens.expires_in,
            refresh_token: tokens.refresh_token,
            refresh_expires_in: tokens.refresh_expires_in,
            device_token,
        }
    }
}

/// What somebody gets who was let in.
pub(crate) enum Entered {
    /// Tokens, in the body.
    Tokens(SignedInView),
}

impl Reply for Entered {
    fn reply(self) -> Result<http::Response<axum::body::Body>> {
        match self {
            Self::Tokens(view) => Json(view).reply(),
        }
    }
}

#[post("/auth/sign-in", limit = "sign-in")]
pub(super) async fn sign_in(
    _: Public,
    accounts: Accounts,
    client: Client,
    Json(given): Json<SignIn>,
) -> Result<Entered> {
    accounts.sweeper.pass();
    let (email, device) = (address(&given.email), given.device_token.as_ref());
    let proved = accounts
        .prove(&email, given.password, device, client)
        .await?;
    accounts.enter(proved, Entry::Tokens, client).await
}
