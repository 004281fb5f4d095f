use palisade::prelude::*;

#[output]
struct AccountView {
    email: String,
}

fn main() {}
