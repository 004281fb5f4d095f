//! An address is shown to be its owner's.

use time::OffsetDateTime;

use super::{Asked, Asking, Presentation};
use crate::access::Public;
use crate::auth::Accounts;
use crate::auth::mails::{Message, Purpose};
use crate::db::Db;
use crate::error::Result;
use crate::event::Event;
use crate::input::Json;
use crate::output::{Accepted, NoContent};
use palisade_macros::{post, sql};

#[post("/auth/verify", limit = "recovery")]
pub(super) async fn verify(
    _: Public,
    accounts: Accounts,
    db: Db,
    Json(given): Json<Presentation>,
) -> Result<NoContent> {
    let held = accounts.mails.find(Purpose::Verify, &given.token).await?;
    let id = held.owner.id;
    let tx = db.begin().await?;
    accounts.mails.use_up(&tx, &held).await?;
    sql!("update palisade_accounts set email_verified_at = {OffsetDateTime::now_utc()} where id = {id} and email_verified_at is null")
        .execute(&tx)
        .await?;
    tx.commit().await?;
    let (account, what) = (id.uuid(), "email_verified");
    Event::AccountUpdated { account, what }.emit();
    Ok(NoContent)
}

/// 202 whoever's address it is; a mail goes to an account that is not verified yet.
#[post("/auth/verify/resend", limit = "recovery")]
pub(super) async fn resend(
    _: Public,
    accounts: Accounts,
    db: Db,
    Json(given): Json<Asking>,
) -> Result<Accepted<Asked>> {
    let mails = &accounts.mails;
    mails.ready()?;
    let tx = db.begin().await?;
    let owner = mails.owner_of(&tx, &given.email).await?;
    let owner = owner.filter(|owner| owner.email_verified_at.is_none());
    let answer = mails
        .asked(&tx, Purpose::Verify, &given.email, owner.as_ref())
        .await?;
    tx.commit().await?;
    if let Some(answer) = answer {
        mails.answer(answer, |link| Message::Verify(link));
    }
    Ok(Accepted(Asked::of(&given.email)))
}
