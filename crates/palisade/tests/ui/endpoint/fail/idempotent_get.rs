#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[get("/orders", idempotent)]
async fn handle(_: SignedIn) -> Result<NoContent> {
    Ok(NoContent)
}

fn main() {}
