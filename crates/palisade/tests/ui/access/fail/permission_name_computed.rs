#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

const NAME: &str = "notes.publish";

permissions! {
    Publish = NAME;
}

fn main() {}
