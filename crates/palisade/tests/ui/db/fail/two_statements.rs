#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

async fn query(db: &ReadDb, id: Id<Account>) -> Result<i64> {
    sql!("select 1; select 2").one(db).await
}

fn main() {}
