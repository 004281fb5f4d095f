#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[input]
struct NewNote {
    title: Text<1, 200>,
}

#[post("/hello")]
async fn handle(_: Public, Json(one): Json<NewNote>, Json(two): Json<NewNote>) -> Result<NoContent> {
    Ok(NoContent)
}

fn main() {}
