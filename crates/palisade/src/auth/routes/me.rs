//! Who the caller is.

use crate::access::{Account, Id, SignedIn};
use crate::db::ReadDb;
use crate::error::{Error, Result};
use crate::input::Json;
use palisade_macros::{get, output, sql};

/// Who the caller is.
#[output]
pub(crate) struct Me {
    id: Id<Account>,
    email: String,
}

#[get("/auth/me", limit = "auth")]
pub(super) async fn me(user: SignedIn, db: ReadDb) -> Result<Json<Me>> {
    let email = sql!("select email from palisade_accounts where id = {user.id}")
        .optional(&db)
        .await?;
    // Deleted a moment ago: its credential is worth nothing any more.
    let email = email.ok_or_else(Error::unauthorized)?;
    Ok(Json(Me { id: user.id, email }))
}
