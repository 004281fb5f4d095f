#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[columns(on = "notes")]
struct Order;

fn main() {}
