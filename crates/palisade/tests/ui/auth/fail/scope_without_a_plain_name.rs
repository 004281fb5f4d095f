#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

struct ReadNotes;

impl Scope for ReadNotes {
    const NAME: &'static str = "read notes";
}

#[get("/ping")]
async fn handle(client: ApiClient<ReadNotes>) -> Result<NoContent> {
    Ok(NoContent)
}

fn main() {}
