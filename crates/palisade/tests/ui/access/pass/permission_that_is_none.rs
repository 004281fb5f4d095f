#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

permissions! {
    Publish = "notes.publish";
}

#[post("/notes/publish")]
async fn handle(by: Can<Publish>) -> Result<NoContent> {
    Ok(NoContent)
}

fn main() {}
