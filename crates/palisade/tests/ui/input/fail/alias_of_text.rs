#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

type Title = String;

#[input]
struct NewNote {
    title: Title,
}

fn main() {}
