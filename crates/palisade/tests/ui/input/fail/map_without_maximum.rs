#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[input]
struct NewNote {
    labels: std::collections::HashMap<String, String>,
}

fn main() {}
