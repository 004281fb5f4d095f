#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[input]
struct NewNote {
    #[garde(length(chars, min = 1, max = 200))]
    title: String,
}

fn main() {}
