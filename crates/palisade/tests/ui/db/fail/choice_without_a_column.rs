#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[columns(on = "notes")]
enum Order {
    Title,
}

fn main() {}
