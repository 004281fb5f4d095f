#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[resource(owner = "owner_id")]
struct Note {
    id: Id<Note>,
    owner_id: Id<Account>,
}

fn main() {}
