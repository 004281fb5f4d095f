#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

async fn query(db: &ReadDb, id: Id<Account>, order: String) -> Result<i64> {
    sql!("select count(*) from notes where owner_id = {id} order by {order: order}").one(db).await
}

fn main() {}
