#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

async fn query(db: &ReadDb, id: Id<Account>) -> Result<i64> {
    sql!("select count(*) from notes", unscoped = "counts them all")
        .one(db)
        .await
}

fn main() {}
