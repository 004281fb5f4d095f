#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

struct Plain;

async fn query(db: &ReadDb, id: Id<Account>) -> Result<i64> {
    sql!("select count(*) from notes where title = {Plain}").one(db).await
}

fn main() {}
