#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

async fn query(db: &ReadDb, title: Text<1, 200>) -> Result<i64> {
    sql!("select count(*) from notes where title = {title}")
        .one(db)
        .await
}

fn main() {}
