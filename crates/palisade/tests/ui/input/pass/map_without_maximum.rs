#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[input]
struct NewNote {
    labels: Map<Slug, Text<1, 50>, 10>,
}

fn main() {}
