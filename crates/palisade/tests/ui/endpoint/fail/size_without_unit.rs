#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[post("/hello", body = "2000000")]
async fn handle(_: Public) -> Result<NoContent> {
    Ok(NoContent)
}

fn main() {}
