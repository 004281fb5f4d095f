#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

async fn query(db: &ReadDb, password: Password) -> Result<i64> {
    sql!("select count(*) from notes where title = {password}").one(db).await
}

fn main() {}
