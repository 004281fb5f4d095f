#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[input]
struct NewNote {
    extra: Map<Slug, Text<1, 50>, 10>,
}

fn main() {}
