#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[input]
struct NewNote {
    #[garde(skip)]
    title: String,
}

fn main() {}
