#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[output]
struct View {
    extra: Map<Slug, Text<1, 50>, 10>,
}

fn main() {}
