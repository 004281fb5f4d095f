#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[get("/hello")]
async fn handle(_: Public) -> Result<axum::response::Response> {
    Ok(Default::default())
}

fn main() {}
