#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

async fn query(db: &ReadDb, id: Id<Account>, title: String) -> Result<i64> {
    sql!("select count(*) from notes where owner_id = {id} and title in ({..title})").one(db).await
}

fn main() {}
