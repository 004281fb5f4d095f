#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[input]
struct NewNote {
    #[input(rename = "name")]
    title: Text<1, 200>,
}

fn main() {}
