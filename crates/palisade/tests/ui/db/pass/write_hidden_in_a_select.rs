#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

async fn query(db: &Db, id: Id<Account>) -> Result<i64> {
    sql!("with gone as (delete from notes where owner_id = {id} returning id) select count(*) from gone").one(db).await
}

fn main() {}
