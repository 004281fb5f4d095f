#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[post("/orders", limit = "10/min", idempotent)]
async fn handle(_: Public, db: Db) -> Result<NoContent> {
    Ok(NoContent)
}

fn main() {}
