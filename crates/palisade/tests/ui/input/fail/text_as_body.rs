#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[post("/hello")]
async fn handle(_: Public, Json(new): Json<String>) -> Result<NoContent> {
    Ok(NoContent)
}

fn main() {}
