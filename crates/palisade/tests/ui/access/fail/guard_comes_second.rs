#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[input]
struct NewNote {
    title: Text<1, 200>,
}

#[post("/hello")]
async fn handle(Json(new): Json<NewNote>, user: SignedIn) -> Result<NoContent> {
    Ok(NoContent)
}

fn main() {}
