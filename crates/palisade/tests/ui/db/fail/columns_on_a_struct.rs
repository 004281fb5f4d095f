#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[columns]
struct Order;

fn main() {}
