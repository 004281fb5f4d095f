#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[input]
struct NewNote {
    extra: serde_json::Value,
}

fn main() {}
