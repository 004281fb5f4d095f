//! The same person, proved once more: the way to what asks for [`Fresh`](crate::access::Fresh).

use super::Entered;
use super::session::Cookies;
use crate::access::SignedIn;
use crate::auth::Accounts;
use crate::auth::client::Client;
use crate::auth::presented::Presented;
use crate::auth::session::Current;
use crate::auth::sign_in::Entry;
use crate::error::{Error, Result};
use crate::input::{Json, Password};
use palisade_macros::{input, post, sql};

/// What a signed-in person proves themselves with.
#[input]
pub(crate) struct Reauthentication {
    password: Password,
    device_token: Option<Presented>,
}

#[post("/auth/reauthenticate", limit = "sign-in")]
pub(super) async fn reauthenticate(
    user: SignedIn,
    accounts: Accounts,
    current: Current,
    cookies: Cookies,
    client: Client,
    Json(given): Json<Reauthentication>,
) -> Result<Entered> {
    let email: Option<String> = sql!("select email from palisade_accounts where id = {user.id}")
        .optional(&accounts.db.reader())
        .await?;
    // Deleted a moment ago: its credential is worth nothing any more.
    let email = email.ok_or_else(Error::unauthorized)?;
    let device = given.device_token.as_ref().or(cookies.device());
    let proved = accounts
        .prove(&email, given.password, device, client)
        .await?;
    // The address may have passed to another account in between.
    if proved.account != user.id {
        return Err(Error::unauthorized());
    }
    accounts.enter(proved, Entry::anew(current), client).await
}
