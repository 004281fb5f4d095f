#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[get("/hello")]
async fn handle(_: Public) -> Result<NoContent> {
    Ok(NoContent)
}

fn main() {}
