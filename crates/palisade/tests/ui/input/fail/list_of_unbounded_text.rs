#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[input]
struct NewNote {
    #[garde(length(max = 5))]
    tags: Vec<String>,
}

fn main() {}
