#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[post("/me/export")]
async fn handle(user: Fresh<0>) -> Result<NoContent> {
    Ok(NoContent)
}

fn main() {}
