#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

type Title = Text<1, 200>;

#[input]
struct NewNote {
    title: Title,
}

fn main() {}
