#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[input]
struct NewNote {
    owner_id: Ref<Account>,
}

fn main() {}
