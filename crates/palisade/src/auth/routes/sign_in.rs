//! Credentials for a token.

use super::{Credentials, address};
use crate::access::{Account, Id, Public};
use crate::auth::Accounts;
use crate::auth::password::{PasswordHash, Verdict};
use crate::db::Db;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::input::{Json, Service};
use palisade_macros::{output, post, row, sql};

#[row]
struct Login {
    id: Id<Account>,
    password_hash: PasswordHash,
}

/// What sign-in answers: RFC 6749, section 5.1.
#[output]
pub(crate) struct TokenView {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
}

#[post("/auth/sign-in", limit = "sign-in")]
pub(super) async fn sign_in(
    _: Public,
    accounts: Service<Accounts>,
    db: Db,
    Json(given): Json<Credentials>,
) -> Result<Json<TokenView>> {
    let email = address(&given.email);
    let found = sql!(
        Login,
        "select id, password_hash from palisade_accounts where email = {email}"
    )
    .optional(&db)
    .await?;
    let (id, hash) = found.map(|login| (login.id, login.password_hash)).unzip();
    let verdict = accounts
        .passwords
        .verify(given.password, hash.clone())
        .await?;
    let id = match (id, verdict) {
        (Some(id), Verdict::Right) => id,
        (Some(id), Verdict::Outdated(new)) => {
            // Not when the password was changed in the meantime.
            sql!("update palisade_accounts set password_hash = {new} where id = {id} and password_hash = {hash}")
                .execute(&db)
                .await?;
            id
        }
        (id, _) => {
            let account = id.map(|id| id.uuid());
            Event::SignInFailed { account }.emit();
            return Err(
                Error::unauthorized().with_detail("the e-mail address or the password is wrong")
            );
        }
    };
    Event::SignedIn { account: id.uuid() }.emit();
    let access_token = accounts.tokens.make(id)?;
    Event::TokenCreated { account: id.uuid() }.emit();
    let expires_in = accounts.tokens.lifetime().as_secs();
    Ok(Json(TokenView {
        access_token,
        token_type: "Bearer",
        expires_in,
    }))
}
