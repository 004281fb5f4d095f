#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

permissions! {
    Publish = "publish notes";
}

fn main() {}
