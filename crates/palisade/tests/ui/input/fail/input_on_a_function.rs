#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[input]
fn new_note() {}

fn main() {}
