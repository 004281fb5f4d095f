#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[input]
struct NewNote {
    title: Text<1, 200>,
}

#[post("/hello")]
async fn handle(user: SignedIn, Json(new): Json<NewNote>) -> Result<NoContent> {
    Ok(NoContent)
}

fn main() {}
