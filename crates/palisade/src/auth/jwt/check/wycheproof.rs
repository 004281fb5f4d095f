//! The published JWS vectors of Project Wycheproof, for the algorithms that are taken here.
//!
//! Their payloads are `foo` and the like and no claims, so none of them is a token that [`JwtCheck`] takes. What they tell is told one
//! level below: what is valid passes the signature and fails at the payload, which is no JSON; what is not valid never comes that far.

use jsonwebtoken::errors::ErrorKind;
use serde_json::Value;

use super::*;
use crate::input::Text;
use palisade_macros::input;

const VECTORS: &str = include_str!("../../../../tests/accounts/wycheproof_jws.json");

/// Valid for a decoder that skips what is no base64; RFC 7515, section 2, knows no such characters, and we refuse them.
const LENIENT: [u64; 2] = [372, 373];

#[input(strip_unknown)]
#[expect(dead_code, reason = "nothing is ever read into it")]
struct Claims {
    sub: Text<1, 100>,
}

fn key(jwk: &Value) -> JwtKey {
    let text = |name: &str| jwk[name].as_str().expect("text");
    match text("kty") {
        "oct" => JwtKey {
            algorithm: Algorithm::HS256,
            key: DecodingKey::from_base64_secret(&standard(text("k"))).expect("a key"),
        },
        _ => JwtKey::p256(text("x"), text("y")).expect("a key"),
    }
}

fn standard(url: &str) -> String {
    use base64::engine::general_purpose::STANDARD;
    STANDARD.encode(URL_SAFE_NO_PAD.decode(url).expect("base64url"))
}

#[test]
fn lets_past_the_signature_what_is_valid_and_nothing_else() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let (mut valid, mut invalid) = (0, 0);
    for group in vectors["groups"].as_array().unwrap() {
        let check = JwtCheck::new(key(&group["key"]))
            .issuer("them")
            .audience("us");
        for test in group["tests"].as_array().unwrap() {
            let (number, jws) = (test[0].as_u64().unwrap(), test[3].as_str().unwrap());
            let what = format!("{number} {}", test[1]);
            assert!(check.check::<Claims>(jws).is_err(), "{what}: no claims");
            let error = decode::<Times>(jws, &check.key.key, &check.rules())
                .err()
                .unwrap();
            let passed = matches!(error.kind(), ErrorKind::Json(_)) && decode_header(jws).is_ok();
            if test[2] == "valid" && !LENIENT.contains(&number) {
                assert!(passed, "{what}: {error}");
                valid += 1;
            } else {
                assert!(!passed, "{what} passed");
                invalid += 1;
            }
        }
    }
    assert_eq!((valid, invalid), (8, 66));
}
