//! Whether it lives, and whether it can work.

use crate::access::Public;
use crate::db::ReadDb;
use crate::error::{Error, Result};
use crate::input::Json;
use palisade_macros::{get, output, sql};

#[output]
pub(super) struct Health {
    status: &'static str,
}

#[get("/livez")]
pub(super) async fn livez(_: Public) -> Result<Json<Health>> {
    Ok(Json(Health { status: "alive" }))
}

#[get("/readyz")]
pub(super) async fn readyz(_: Public, db: ReadDb) -> Result<Json<Health>> {
    let one: i64 = sql!("select 1")
        .one(&db)
        .await
        .map_err(|_| Error::unavailable())?;
    if one == 1 {
        Ok(Json(Health { status: "ready" }))
    } else {
        Err(Error::unavailable())
    }
}
