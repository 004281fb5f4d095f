#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[resource(table = "notes", owner = "owner_id", on_delete = "remove")]
struct Note {
    id: Id<Note>,
    owner_id: Id<Account>,
}

fn main() {}
