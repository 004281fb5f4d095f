//! The end of a token.

use time::OffsetDateTime;

use crate::access::SignedIn;
use crate::auth::Accounts;
use crate::auth::jwt::Checked;
use crate::db::Db;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::input::{Argument, Incoming};
use crate::output::NoContent;
use palisade_macros::{post, sql};

/// The token of this request, checked once more.
pub(crate) struct ThisToken(Checked);

impl Argument for ThisToken {
    async fn take(incoming: &mut Incoming) -> Result<Self> {
        let accounts: Accounts = incoming.service()?;
        let checked = accounts.bearer(incoming.parts())?;
        checked.map(Self).ok_or_else(Error::unauthorized)
    }
}

#[post("/auth/sign-out")]
pub(super) async fn sign_out(user: SignedIn, token: ThisToken, db: Db) -> Result<NoContent> {
    // A token whose time is over is refused by its own `exp`, so its entry can go.
    sql!("delete from palisade_revoked_tokens where expires_at < {OffsetDateTime::now_utc() - time::Duration::minutes(5)}")
        .execute(&db)
        .await?;
    sql!(
        "insert into palisade_revoked_tokens (jti, expires_at) values ({token.0.jti}, {token.0.expires})
         on conflict (jti) do nothing"
    )
    .execute(&db)
    .await?;
    Event::SignedOut {
        account: user.id.uuid(),
    }
    .emit();
    Ok(NoContent)
}
