#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[output]
struct View {
    title: String,
}

fn main() {}
