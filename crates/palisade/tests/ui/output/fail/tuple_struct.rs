#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[output]
struct Title(String);

fn main() {}
