//! The end of a sign-in.

use crate::access::SignedIn;
use crate::auth::{AccessToken, Accounts};
use crate::error::Result;
use crate::event::Event;
use crate::output::NoContent;
use palisade_macros::post;

#[post("/auth/sign-out", limit = "auth")]
pub(super) async fn sign_out(
    user: SignedIn,
    token: AccessToken,
    accounts: Accounts,
) -> Result<NoContent> {
    accounts.sign_out(&token).await?;
    Event::SignedOut {
        account: user.id.uuid(),
    }
    .emit();
    Ok(NoContent)
}
