#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[input]
struct Wrap<T> {
    inner: T,
}

fn main() {}
