#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

async fn query(db: &Db, id: Id<Account>) -> Result<u64> {
    sql!("delete from notes where owner_id = {id}")
        .execute(db)
        .await
}

fn main() {}
