#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[input(tag = "kind")]
enum Command {
    Rename { title: Text<1, 200> },
    Remove,
}

fn main() {}
