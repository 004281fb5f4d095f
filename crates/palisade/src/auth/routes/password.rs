//! Another password, by whoever knows the one that is.

use crate::access::Fresh;
use crate::auth::Accounts;
use crate::auth::client::Client;
use crate::auth::mails::Notice;
use crate::auth::presented::Presented;
use crate::auth::session::Current;
use crate::db::Db;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::input::{Json, Password};
use crate::output::NoContent;
use palisade_macros::{input, post, sql};

/// The password that is, and the one that is to be.
#[input]
pub(crate) struct PasswordChange {
    current: Password,
    new: Password,
    device_token: Option<Presented>,
}

/// Ends every other sign-in; this one goes on.
#[post("/auth/password", limit = "recovery")]
pub(super) async fn change_password(
    user: Fresh,
    current: Current,
    accounts: Accounts,
    client: Client,
    db: Db,
    Json(given): Json<PasswordChange>,
) -> Result<NoContent> {
    let id = user.id;
    let device = given.device_token.as_ref();
    let owner = accounts.proved(id, client, given.current, device).await?;
    let own = [owner.email.as_str()];
    let hash = accounts.passwords.accept(given.new, &own).await?;
    let tx = db.begin().await?;
    let changed = sql!(
        "update palisade_accounts set password_hash = {hash}, password_version = password_version + 1
         where id = {id} and password_hash = {owner.password_hash}"
    );
    if changed.execute(&tx).await? == 0 {
        return Err(Error::conflict("the password was changed in the meantime"));
    }
    let ended = accounts.end_elsewhere(&tx, id, Some(current)).await?;
    tx.commit().await?;
    accounts.ended(id, ended);
    // What began while this was being written, by the password of before.
    accounts.sign_out_elsewhere(id, Some(current)).await?;
    let account = id.uuid();
    Event::PasswordChanged { account }.emit();
    accounts.mails.notify(owner.email, Notice::PasswordChanged);
    Ok(NoContent)
}
