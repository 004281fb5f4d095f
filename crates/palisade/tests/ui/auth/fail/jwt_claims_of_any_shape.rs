use std::collections::HashMap;

use palisade::auth::{JwtCheck, JwtKey, TokenError};
use palisade::prelude::*;

fn who(key: JwtKey, token: &str) -> Result<(), TokenError> {
    let check = JwtCheck::new(key).issuer("https://partner.example").audience("notes");
    check.check::<HashMap<String, String>>(token).map(drop)
}

fn main() {}
