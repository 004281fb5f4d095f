#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[resource(table = "notes", owner = "owner_id", export = Summary)]
struct Note {
    id: Id<Note>,
    owner_id: Id<Account>,
    title: String,
}

#[output]
struct Summary {
    title: String,
}

fn main() {}
