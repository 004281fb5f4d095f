#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[columns]
enum Order {
    Title,
}

fn main() {}
