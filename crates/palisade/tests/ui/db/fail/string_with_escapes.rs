#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

async fn query(db: &ReadDb, id: Id<Account>) -> Result<i64> {
    sql!(r"select count(*) from notes where owner_id = {id} and title <> e'\''").one(db).await
}

fn main() {}
