#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[row]
struct Place {
    point: (f64, f64),
}

fn main() {}
