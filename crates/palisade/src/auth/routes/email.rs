//! Another address: asked for with the password, confirmed by the new address, and forbidden or taken back by the old one.

use time::OffsetDateTime;

use super::{Asked, Presentation, address};
use crate::access::{Account, Fresh, Id, Public};
use crate::auth::Accounts;
use crate::auth::client::Client;
use crate::auth::mails::{Message, Notice, Purpose};
use crate::auth::presented::Presented;
use crate::db::{self, Db, Tx, erase};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::input::{Email, Json, Password};
use crate::output::{Accepted, NoContent};
use palisade_macros::{input, post, sql};

/// A hash that no password has: only a reset sets another one.
const NO_PASSWORD: &str = "!";

/// The address that is to be, and the account's password.
#[input]
pub(crate) struct EmailChange {
    email: Email,
    password: Password,
    device_token: Option<Presented>,
}

/// 202 for a taken address too, whose owner is told by mail.
#[post("/auth/email", limit = "recovery")]
pub(super) async fn change_email(
    user: Fresh,
    accounts: Accounts,
    client: Client,
    db: Db,
    Json(given): Json<EmailChange>,
) -> Result<Accepted<Asked>> {
    let mails = &accounts.mails;
    mails.ready()?;
    let device = given.device_token.as_ref();
    let owner = accounts
        .proved(user.id, client, given.password, device)
        .await?;
    // As it will be kept: another spelling may be another mailbox.
    let new = Email::parse(address(&given.email)).map_err(|_| Error::internal())?;
    if new == owner.email {
        return Err(Error::conflict("the account has this address already"));
    }
    let tx = db.begin().await?;
    let taken = mails.owner_of(&tx, &new).await?.is_some();
    let mut links = None;
    if mails.may_send(&tx, &new, Purpose::Change).await? {
        let theirs = Some(&owner).filter(|_| !taken);
        let confirm = mails
            .issue(&tx, Purpose::Change, &new, theirs, Some(&new))
            .await?;
        let (old, own) = (&owner.email, Some(&owner));
        let cancel = mails
            .issue(&tx, Purpose::Cancel, old, own, Some(old))
            .await?;
        links = Some((
            mails.link(Purpose::Change, confirm),
            mails.link(Purpose::Cancel, cancel),
        ));
    }
    tx.commit().await?;
    let (purpose, account) = (Purpose::Change.name(), Some(owner.id.uuid()));
    Event::RecoveryRequested { purpose, account }.emit();
    if let Some((confirm, cancel)) = links {
        let message = if taken {
            Message::EmailTaken
        } else {
            Message::ConfirmEmail(&confirm)
        };
        mails.post(new.clone(), &message);
        let (new, cancel) = (&new, &cancel);
        mails.post(owner.email, &Message::EmailChange { new, cancel });
    }
    Ok(Accepted(Asked::of(&new)))
}

#[post("/auth/email/confirm", limit = "recovery")]
pub(super) async fn confirm_email(
    _: Public,
    accounts: Accounts,
    db: Db,
    Json(given): Json<Presentation>,
) -> Result<NoContent> {
    let mails = &accounts.mails;
    let held = mails.find(Purpose::Change, &given.token).await?;
    let owner = &held.owner;
    let new = held.email.as_ref().ok_or_else(Error::internal)?;
    let (id, now) = (owner.id, OffsetDateTime::now_utc());
    let tx = db.begin().await?;
    mails.use_up(&tx, &held).await?;
    let changed = sql!(
        "update palisade_accounts set email = {address(new)}, email_verified_at = {now}
         where id = {id} and email = {owner.email} and password_hash = {owner.password_hash}"
    );
    let changed = changed.execute(&tx).await.map_err(|error| {
        if db::is_unique_violation(&error) {
            taken()
        } else {
            error
        }
    })?;
    if changed == 0 {
        return Err(Error::conflict("the account was changed in the meantime"));
    }
    mails.end(&tx, id).await?;
    tx.commit().await?;
    let (account, what) = (id.uuid(), "email");
    Event::AccountUpdated { account, what }.emit();
    for email in [&owner.email, new] {
        mails.notify(email.clone(), Notice::EmailChanged);
    }
    Ok(NoContent)
}

/// Forbids a change, or takes it back: whoever asked for it knows the password, so that is worth nothing any more.
#[post("/auth/email/cancel", limit = "recovery")]
pub(super) async fn cancel_email(
    _: Public,
    accounts: Accounts,
    db: Db,
    Json(given): Json<Presentation>,
) -> Result<NoContent> {
    let mails = &accounts.mails;
    let held = mails.find(Purpose::Cancel, &given.token).await?;
    let old = held.email.as_ref().ok_or_else(Error::internal)?;
    let (id, now) = (held.owner.id, OffsetDateTime::now_utc());
    let tx = db.begin().await?;
    mails.use_up(&tx, &held).await?;
    let squatter = squatter(&accounts, &tx, old, id).await?;
    let back = sql!(
        "update palisade_accounts set email = {address(old)}, email_verified_at = coalesce(email_verified_at, {now}),
         password_hash = {NO_PASSWORD}, password_version = password_version + 1 where id = {id}"
    );
    back.execute(&tx).await.map_err(|error| {
        if db::is_unique_violation(&error) {
            taken()
        } else {
            error
        }
    })?;
    mails.end_all(&tx, id).await?;
    let ended = accounts.end_elsewhere(&tx, id, None).await?;
    // Whoever asked for the change may have made keys of their own.
    sql!("delete from palisade_api_keys where account_id = {id}")
        .execute(&tx)
        .await?;
    let owner = mails.owner_of(&tx, old).await?;
    let reset = mails
        .issue(&tx, Purpose::Reset, old, owner.as_ref(), None)
        .await?;
    tx.commit().await?;
    accounts.ended(id, ended);
    if let Some(squatter) = squatter {
        accounts.forget(squatter);
        let account = squatter.uuid();
        Event::AccountDeleted { account }.emit();
    }
    let (account, what) = (id.uuid(), "email_change_cancelled");
    Event::AccountUpdated { account, what }.emit();
    let link = mails.link(Purpose::Reset, reset);
    mails.post(old.clone(), &Message::Reset(&link));
    // What began while this was being written, by the password of before.
    accounts.sign_out_everywhere(id).await?;
    Ok(NoContent)
}

/// Removes an account that somebody signed up under the old address and never could sign in to, so that nobody keeps the owner from taking
/// the address back. Where an address need not be verified such an account may be somebody's, and stays.
async fn squatter(
    accounts: &Accounts,
    tx: &Tx,
    old: &Email,
    owner: Id<Account>,
) -> Result<Option<Id<Account>>> {
    if !accounts.mails.are_required() {
        return Ok(None);
    }
    let squatter: Option<Id<Account>> = sql!(
        "select id from palisade_accounts where email = {address(old)} and id <> {owner} and email_verified_at is null
         and not exists (select 1 from palisade_account_roles r where r.account_id = palisade_accounts.id)"
    )
    .optional(tx)
    .await?;
    if let Some(squatter) = squatter {
        erase(tx, squatter.uuid()).await?;
        sql!("delete from palisade_accounts where id = {squatter}")
            .execute(tx)
            .await?;
    }
    Ok(squatter)
}

fn taken() -> Error {
    Error::conflict("another account has this address now")
}
