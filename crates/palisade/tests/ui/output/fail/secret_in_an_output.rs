#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[output]
struct View {
    key: Secret<String>,
}

fn main() {}
