#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[row]
struct TagCount {
    tag: String,
    count: i64,
}
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

async fn query(db: &ReadDb, id: Id<Account>) -> Result<Page<Note>> {
    sql!("select * from notes where owner_id = {id}")
        .page(&PageRequest::default(), db)
        .await
}

fn main() {}
