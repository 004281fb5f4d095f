#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[columns]
enum Order {
    #[column("title")]
    Title,
}

fn main() {}
