#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[post("/hello")]
async fn handle(_: Public, Json(new): Json<serde_json::Value>) -> Result<NoContent> {
    Ok(NoContent)
}

fn main() {}
