#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[output(tag = "kind")]
enum Change {
    Renamed { title: String },
    Removed,
}

fn main() {}
