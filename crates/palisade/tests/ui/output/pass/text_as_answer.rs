#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[output]
struct View {
    title: String,
}

#[get("/hello")]
async fn handle(_: Public) -> Result<Json<View>> {
    Ok(Json(View {
        title: "hello".to_owned(),
    }))
}

fn main() {}
