#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

struct Publish;

#[post("/notes/publish")]
async fn handle(by: Can<Publish>) -> Result<NoContent> {
    Ok(NoContent)
}

fn main() {}
