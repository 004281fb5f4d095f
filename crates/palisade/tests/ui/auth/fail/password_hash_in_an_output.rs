use palisade::auth::PasswordHash;
use palisade::prelude::*;

#[output]
struct Account {
    email: String,
    password_hash: PasswordHash,
}

fn main() {}
