#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[get("/hello")]
fn handle(_: Public) -> Result<NoContent> {
    Ok(NoContent)
}

fn main() {}
