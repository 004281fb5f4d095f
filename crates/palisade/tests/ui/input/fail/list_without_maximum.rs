#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[input]
struct NewNote {
    tags: Vec<Slug>,
}

fn main() {}
