#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[post("/letters", limit = "10/min", timeout = "30s")]
async fn handle(_: Public, db: Db) -> Result<NoContent> {
    Ok(NoContent)
}

fn main() {}
