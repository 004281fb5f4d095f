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

async fn query(db: &ReadDb, note: Can<Read, Note>) -> Result<i64> {
    sql!("select count(*) from notes where id = {note} and owner_id = {note.owner_id}")
        .one(db)
        .await
}

fn main() {}
