#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

struct Handle;

fn routes() -> palisade::endpoint::Routes {
    routes![Handle]
}

fn main() {}
