//! The end of an account, by its owner.

use crate::access::Fresh;
use crate::auth::Accounts;
use crate::auth::client::Client;
use crate::error::{Error, Result};
use crate::input::{Json, Password};
use crate::output::NoContent;
use palisade_macros::{delete, input, sql};

/// What its owner says once more, since nothing brings it back.
#[input]
pub(crate) struct Deletion {
    password: Password,
}

#[delete("/auth/account", limit = "5/min")]
pub(super) async fn delete(
    user: Fresh,
    accounts: Accounts,
    client: Client,
    Json(given): Json<Deletion>,
) -> Result<NoContent> {
    let email: Option<String> = sql!("select email from palisade_accounts where id = {user.id}")
        .optional(&accounts.db.reader())
        .await?;
    // Deleted a moment ago: its credential is worth nothing any more.
    let email = email.ok_or_else(Error::unauthorized)?;
    let proved = accounts.prove(&email, given.password, None, client).await?;
    // The address may have passed to another account in between.
    if proved.account != user.id {
        return Err(Error::unauthorized());
    }
    accounts.delete(user.id).await?;
    Ok(NoContent)
}
