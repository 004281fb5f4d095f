#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[input]
struct NewNote {
    stars: Int<1, 5>,
}

fn main() {}
