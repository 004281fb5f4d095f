#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[get("/ping")]
async fn handle(client: ApiClient) -> Result<NoContent> {
    Ok(NoContent)
}

fn main() {}
