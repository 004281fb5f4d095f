#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[input]
struct Title(Text<1, 200>);

fn main() {}
