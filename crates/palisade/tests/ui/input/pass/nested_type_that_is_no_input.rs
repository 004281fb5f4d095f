#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[input]
struct Place {
    street: Text<1, 100>,
}

#[input]
struct NewNote {
    place: Place,
}

fn main() {}
