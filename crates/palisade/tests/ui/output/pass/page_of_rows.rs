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

#[output(from = Note)]
struct View {
    title: String,
}

#[get("/notes")]
async fn handle(user: SignedIn) -> Result<Page<View>> {
    Ok(Page {
        items: Vec::new(),
        next: None,
    })
}

fn main() {}
