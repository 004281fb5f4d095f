#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

async fn query(db: &ReadDb, id: Id<Account>) -> Result<i64> {
    let text = "select 1";
    sql!(text).one(db).await
}

fn main() {}
