#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

async fn query(db: &ReadDb) -> Result<i64> {
    sql!(
        "select count(*) from notes",
        unscoped = "the total is shown to everybody"
    )
    .one(db)
    .await
}

fn main() {}
