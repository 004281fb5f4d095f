#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[input]
struct NewNote {
    title: Text<1, 200>,
}

fn main() {}
