use palisade::auth::PasswordHash;
use palisade::prelude::*;

#[row]
struct Login {
    password_hash: PasswordHash,
}

fn main() {}
