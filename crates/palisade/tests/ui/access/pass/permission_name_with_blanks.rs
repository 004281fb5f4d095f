#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

permissions! {
    Publish = "notes.publish";
}

fn main() {}
