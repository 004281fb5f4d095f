#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[columns(on = "notes")]
enum Order {
    #[column("title")]
    Title,
}

fn main() {}
