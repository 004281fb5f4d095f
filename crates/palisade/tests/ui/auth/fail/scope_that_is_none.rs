#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

struct ReadNotes;

#[get("/ping")]
async fn handle(client: ApiClient<ReadNotes>) -> Result<NoContent> {
    Ok(NoContent)
}

fn main() {}
