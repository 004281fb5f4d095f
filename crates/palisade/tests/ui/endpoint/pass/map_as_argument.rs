#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[input]
struct NewNote {
    title: Text<1, 200>,
}

#[get("/hello")]
async fn handle(_: Public, Query(query): Query<NewNote>) -> Result<NoContent> {
    Ok(NoContent)
}

fn main() {}
