#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

struct Plain;

#[post("/hello")]
async fn handle(_: Public, Json(new): Json<Plain>) -> Result<NoContent> {
    Ok(NoContent)
}

fn main() {}
