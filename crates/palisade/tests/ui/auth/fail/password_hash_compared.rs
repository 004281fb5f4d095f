use palisade::auth::PasswordHash;

fn same(one: PasswordHash, other: PasswordHash) -> bool {
    one == other
}

fn main() {}
