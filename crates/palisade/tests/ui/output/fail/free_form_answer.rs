#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[get("/hello")]
async fn handle(_: Public) -> Result<Json<serde_json::Value>> {
    Ok(Json(serde_json::Value::Null))
}

fn main() {}
