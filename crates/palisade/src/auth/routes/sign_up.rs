//! A new account; a taken address is answered like a free one.

use time::OffsetDateTime;

use super::{Credentials, address};
use crate::access::{Account, Id, Public};
use crate::auth::Accounts;
use crate::auth::client::Client;
use crate::auth::mails::{Message, Purpose};
use crate::db::Db;
use crate::error::Result;
use crate::event::Event;
use crate::input::Json;
use crate::output::Created;
use palisade_macros::{output, post, sql};

/// What sign-up answers, for a fresh address and a taken one alike.
#[output]
pub(crate) struct SignedUp {
    email: String,
}

#[post("/auth/sign-up", limit = "sign-up")]
pub(super) async fn sign_up(
    _: Public,
    accounts: Accounts,
    client: Client,
    db: Db,
    Json(new): Json<Credentials>,
) -> Result<Created<SignedUp>> {
    let email = address(&new.email);
    let hash = accounts.passwords.accept(new.password, &[&email]).await?;
    let id = Id::<Account>::new();
    let tx = db.begin().await?;
    // A write that is made in both cases: a commit takes its time, and must not tell a free address from a taken one.
    accounts.lockout.signed_up(&tx, client).await?;
    let made = sql!(
        "insert into palisade_accounts (id, email, password_hash, created_at)
         values ({id}, {email}, {hash}, {OffsetDateTime::now_utc()})
         on conflict (email) do nothing"
    );
    let made = made.execute(&tx).await? > 0;
    let mails = &accounts.mails;
    let owner = mails.owner_of(&tx, &new.email).await?;
    let purpose = if made {
        Purpose::Verify
    } else {
        Purpose::Reset
    };
    let mut answer = None;
    if mails.ready().is_ok() {
        answer = mails
            .asked(&tx, purpose, &new.email, owner.as_ref())
            .await?;
    }
    tx.commit().await?;
    if made {
        Event::AccountCreated { account: id.uuid() }.emit();
    }
    if let Some(answer) = answer {
        mails.answer(answer, |link| match made {
            true => Message::Verify(link),
            false => Message::SignedUpAgain(link),
        });
    }
    Ok(Created(SignedUp { email }))
}
