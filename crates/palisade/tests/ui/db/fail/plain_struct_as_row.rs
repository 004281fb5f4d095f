#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

struct Plain;

async fn query(db: &ReadDb, id: Id<Account>) -> Result<Plain> {
    sql!("select title from notes where owner_id = {id}").one(db).await
}

fn main() {}
