use palisade::auth::{JwtCheck, JwtKey, TokenError};
use palisade::prelude::*;

#[input(strip_unknown)]
struct Claims {
    sub: Text<1, 100>,
}

fn who(key: JwtKey, token: &str) -> Result<Claims, TokenError> {
    JwtCheck::new(key).issuer("https://partner.example").check(token)
}

fn main() {}
