#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[input]
struct NewNote {
    #[garde(length(min = 1))]
    title: String,
}

fn main() {}
