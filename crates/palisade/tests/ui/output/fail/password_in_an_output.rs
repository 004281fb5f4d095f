#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[output]
struct View {
    password: Password,
}

fn main() {}
