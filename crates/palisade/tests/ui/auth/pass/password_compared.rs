use palisade::auth::{PasswordHash, Passwords, Verdict};
use palisade::prelude::*;

async fn same(passwords: &Passwords, typed: Password, kept: PasswordHash) -> Result<bool> {
    let verdict = passwords.verify(typed, Some(kept)).await?;
    Ok(!matches!(verdict, Verdict::Wrong))
}

fn main() {}
