use palisade::prelude::*;

#[output]
struct Account {
    email: String,
    password: Password,
}

fn main() {}
