#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[input]
struct NewNote {
    tags: List<Slug, 20>,
}

fn main() {}
