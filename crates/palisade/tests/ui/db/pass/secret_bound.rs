#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

async fn query(db: &ReadDb, key: String) -> Result<i64> {
    sql!("select count(*) from notes where title = {key}")
        .one(db)
        .await
}

fn main() {}
