use palisade::prelude::*;

#[row]
struct Login {
    password: Password,
}

fn main() {}
