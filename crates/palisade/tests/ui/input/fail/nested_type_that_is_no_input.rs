#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

struct Place {
    street: String,
}

#[input]
struct NewNote {
    place: Place,
}

fn main() {}
