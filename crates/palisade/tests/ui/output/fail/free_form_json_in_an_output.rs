#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[output]
struct View {
    extra: serde_json::Value,
}

fn main() {}
