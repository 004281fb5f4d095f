#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[get("/tags/:tag")]
async fn handle(_: Public, Path(tag): Path<Slug>) -> Result<NoContent> {
    Ok(NoContent)
}

fn main() {}
