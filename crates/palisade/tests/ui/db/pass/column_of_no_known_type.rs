#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[row]
struct Place {
    latitude: f64,
    longitude: f64,
}

fn main() {}
