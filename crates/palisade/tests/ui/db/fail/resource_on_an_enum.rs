#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[resource(table = "notes", owner = "owner_id")]
enum Note {
    One,
}

fn main() {}
