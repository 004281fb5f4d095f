#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[get("/orders")]
async fn handle(_: SignedIn) -> Result<NoContent> {
    Ok(NoContent)
}

fn main() {}
