//! What sign-in and refresh answer, and the refresh itself.

use time::OffsetDateTime;

use crate::access::Public;
use crate::auth::Accounts;
use crate::auth::client::Client;
use crate::auth::presented::Presented;
use crate::auth::refresh::{RefreshToken, Rotated};
use crate::error::Result;
use crate::event::Event;
use crate::input::Json;
use palisade_macros::{input, output, post};

/// What a refresh answers: RFC 6749, section 5.1.
#[output]
pub(crate) struct TokenView {
    pub(super) access_token: String,
    pub(super) token_type: &'static str,
    pub(super) expires_in: u64,
    pub(super) refresh_token: RefreshToken,
    pub(super) refresh_expires_in: u64,
}

/// A client's refresh token.
#[input]
pub(crate) struct Refresh {
    refresh_token: Presented,
}

/// The answer with these tokens.
pub(in crate::auth) fn handed_out(accounts: &Accounts, rotated: Rotated) -> Result<TokenView> {
    let account = rotated.account;
    let access_token = accounts.tokens.make(account, rotated.family)?;
    Event::TokenCreated {
        account: account.uuid(),
    }
    .emit();
    let left = rotated.expires - OffsetDateTime::now_utc();
    Ok(TokenView {
        access_token,
        token_type: "Bearer",
        expires_in: accounts.tokens.lifetime().as_secs(),
        refresh_token: rotated.token,
        refresh_expires_in: left.whole_seconds().max(0) as u64,
    })
}

#[post("/auth/refresh", limit = "refresh")]
pub(super) async fn refresh(
    _: Public,
    accounts: Accounts,
    client: Client,
    Json(given): Json<Refresh>,
) -> Result<Json<TokenView>> {
    let rotated = accounts
        .refresh
        .rotate(&given.refresh_token, client)
        .await?;
    handed_out(&accounts, rotated).map(Json)
}
