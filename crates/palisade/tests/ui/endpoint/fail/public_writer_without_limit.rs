#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[post("/letters")]
async fn handle(_: Public, db: Db) -> Result<NoContent> {
    Ok(NoContent)
}

fn main() {}
