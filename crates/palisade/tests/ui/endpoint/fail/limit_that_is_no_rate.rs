#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[post("/hello", limit = "many")]
async fn handle(_: Public) -> Result<NoContent> {
    Ok(NoContent)
}

fn main() {}
