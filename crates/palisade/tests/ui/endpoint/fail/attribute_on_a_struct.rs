#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[get("/hello")]
struct Handle;

fn main() {}
