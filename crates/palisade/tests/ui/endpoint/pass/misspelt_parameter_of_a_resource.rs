#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[resource(table = "notes", owner = "owner_id")]
struct Note {
    id: Id<Note>,
    owner_id: Id<Account>,
    title: String,
}

impl Permit<Read> for Note {
    async fn permits(&self, actor: &Actor, _: &ReadDb) -> Result<bool> {
        Ok(actor.is(self.owner_id))
    }
}

#[get("/notes/{note}")]
async fn handle(note: Can<Read, Note>) -> Result<NoContent> {
    Ok(NoContent)
}

fn main() {}
