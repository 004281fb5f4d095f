#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[input]
struct NewNote {
    owner_id: Id<Account>,
}

fn main() {}
