#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

async fn query(db: &Db) -> Result<u64> {
    sql!("drop table notes").execute(db).await
}

fn main() {}
