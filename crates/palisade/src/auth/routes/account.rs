//! The end of an account, by its owner.

use crate::access::Fresh;
use crate::auth::Accounts;
use crate::auth::client::Client;
use crate::error::Result;
use crate::input::{Json, Password};
use crate::output::NoContent;
use palisade_macros::{delete, input};

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
    accounts
        .proved(user.id, client, given.password, None)
        .await?;
    accounts.delete(user.id).await?;
    Ok(NoContent)
}
