//! Who the caller is.

use crate::access::{Account, Id, SignedIn};
use crate::db::ReadDb;
use crate::error::Result;
use crate::input::Json;
use palisade_macros::{get, output, sql};

/// Who the caller is.
#[output]
pub(crate) struct Me {
    id: Id<Account>,
    email: String,
}

#[get("/auth/me")]
pub(super) async fn me(user: SignedIn, db: ReadDb) -> Result<Json<Me>> {
    let email = sql!("select email from palisade_accounts where id = {user.id}")
        .one(&db)
        .await?;
    Ok(Json(Me { id: user.id, email }))
}
