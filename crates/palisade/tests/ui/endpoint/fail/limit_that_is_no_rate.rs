#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[post("/hello", limit = "30 per minute")]
async fn handle(_: Public) -> Result<NoContent> {
    Ok(NoContent)
}

fn main() {}
