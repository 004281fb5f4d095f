#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[input]
enum Command {
    Rename { title: Text<1, 200> },
    Remove,
}

fn main() {}
