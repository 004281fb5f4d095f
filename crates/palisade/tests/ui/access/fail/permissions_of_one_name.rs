#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

permissions! {
    Publish = "notes.publish";
    Moderate = "notes.publish";
}

fn main() {}
