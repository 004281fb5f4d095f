#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[input]
struct NewNote {
    #[garde(range(min = 0.0, max = 1.0))]
    ratio: f64,
}

fn main() {}
