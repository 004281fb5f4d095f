//! A forgotten password: asked for by an address, set by the token that went there.

use time::OffsetDateTime;

use super::{Asked, Asking};
use crate::access::Public;
use crate::auth::Accounts;
use crate::auth::mails::{Message, Notice, Purpose};
use crate::auth::presented::Presented;
use crate::db::Db;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::input::{Json, Password};
use crate::output::{Accepted, NoContent};
use palisade_macros::{input, post, sql};

/// The token of a mail, and the password that is to be.
#[input]
pub(crate) struct NewPassword {
    token: Presented,
    password: Password,
}

/// 202 whoever's address it is, after the same work.
#[post("/auth/reset", limit = "recovery")]
pub(super) async fn reset(
    _: Public,
    accounts: Accounts,
    db: Db,
    Json(given): Json<Asking>,
) -> Result<Accepted<Asked>> {
    accounts.sweeper.pass();
    let mails = &accounts.mails;
    mails.ready()?;
    let tx = db.begin().await?;
    let owner = mails.owner_of(&tx, &given.email).await?;
    let answer = mails
        .asked(&tx, Purpose::Reset, &given.email, owner.as_ref())
        .await?;
    tx.commit().await?;
    if let Some(answer) = answer {
        mails.answer(answer, |link| Message::Reset(link));
    }
    Ok(Accepted(Asked::of(&given.email)))
}

/// Sets the password, and ends every sign-in with it, in one transaction.
#[post("/auth/reset/confirm", limit = "recovery")]
pub(super) async fn confirm(
    _: Public,
    accounts: Accounts,
    db: Db,
    Json(given): Json<NewPassword>,
) -> Result<NoContent> {
    let held = accounts.mails.find(Purpose::Reset, &given.token).await?;
    let owner = &held.owner;
    let own = [owner.email.as_str()];
    // Before the token is used up: a password that is refused costs no token.
    let hash = accounts.passwords.accept(given.password, &own).await?;
    let (id, old, now) = (owner.id, &owner.password_hash, OffsetDateTime::now_utc());
    let tx = db.begin().await?;
    accounts.mails.use_up(&tx, &held).await?;
    // Who reads the mail of the address owns it.
    let changed = sql!(
        "update palisade_accounts set password_hash = {hash}, password_version = password_version + 1,
         email_verified_at = coalesce(email_verified_at, {now})
         where id = {id} and password_hash = {old}"
    );
    if changed.execute(&tx).await? == 0 {
        return Err(Error::conflict(
            "the account was changed in the meantime: ask for another mail",
        ));
    }
    let ended = accounts.end_elsewhere(&tx, id, None).await?;
    if owner.email_verified_at.is_none() {
        // Whoever signed the address up need not be whose it is: nothing that they set up stays.
        sql!("delete from palisade_api_keys where account_id = {id}")
            .execute(&tx)
            .await?;
        accounts.factors.remove(&tx, id).await?;
    }
    accounts
        .lockout
        .unlock_in(&tx, &super::address(&owner.email))
        .await?;
    tx.commit().await?;
    accounts.ended(id, ended);
    let account = id.uuid();
    Event::PasswordChanged { account }.emit();
    accounts
        .mails
        .notify(owner.email.clone(), Notice::PasswordChanged);
    // What began while this was being written, by the password of before.
    accounts.sign_out_everywhere(id).await?;
    Ok(NoContent)
}
