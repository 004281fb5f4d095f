//! Accounts and their tokens.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use crate::harness::{PASSWORD, Service};

#[test]
fn answers_a_taken_address_like_a_free_one() {
    let service = Service::start();
    let free = service.sign_up("ann@example.com");
    let taken = service.sign_up("Ann@Example.com");
    assert_eq!((free.status, taken.status), (201, 201));
    assert_eq!(free.text, taken.text);
    let names = |answer: &crate::harness::Answer| {
        answer
            .headers
            .iter()
            .map(|(name, _)| name.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&free), names(&taken));
}

#[test]
fn answers_an_unknown_account_like_a_wrong_password() {
    let service = Service::start();
    service.sign_up("ann@example.com");
    let mut answers = ["ann@example.com", "nobody@example.com"].map(|email| {
        let body = format!(r#"{{"email":"{email}","password":"not the password"}}"#);
        let answer = service.call("POST", "/auth/sign-in", "", &body);
        assert_eq!(answer.status, 401);
        answer.json()
    });
    for answer in &mut answers {
        answer["request_id"] = json!("");
    }
    assert_eq!(answers[0], answers[1]);
    let log = service.stop();
    assert!(log.contains("authn_login_fail"), "{log}");
    assert!(!log.contains(PASSWORD) && !log.contains("not the password"));
}

#[test]
fn ends_a_token_at_sign_out() {
    let service = Service::start();
    let ann = service.account("ann@example.com");
    let me = service.call("GET", "/auth/me", &ann, "");
    assert_eq!(
        (me.status, me.json()["email"].clone()),
        (200, json!("ann@example.com"))
    );
    assert_eq!(service.call("POST", "/auth/sign-out", &ann, "").status, 204);
    let after = service.call("GET", "/auth/me", &ann, "");
    assert_eq!(
        (after.status, after.header("www-authenticate")),
        (401, Some("Bearer"))
    );
    assert_eq!(service.call("POST", "/auth/sign-out", &ann, "").status, 401);
    let log = service.stop();
    assert!(!log.contains(&ann), "a token is never in the log");
}

#[test]
fn refuses_forged_and_damaged_tokens() {
    let service = Service::start();
    let token = service.account("ann@example.com");
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = parts.as_slice() else {
        panic!("three parts")
    };
    let decode = |part: &str| -> serde_json::Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("JSON")
    };
    let encode = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let with = |value: &serde_json::Value, name: &str, new: serde_json::Value| {
        let mut value = value.clone();
        value[name] = new;
        encode(&value)
    };
    let (head, claims) = (decode(header), decode(payload));
    assert_eq!(
        (head["alg"].clone(), head["typ"].clone()),
        (json!("EdDSA"), json!("at+jwt"))
    );
    for name in ["iss", "aud", "sub", "exp", "nbf", "iat", "jti"] {
        assert!(!claims[name].is_null(), "{name} is missing");
    }
    let mut forged = vec![
        String::new(),
        "a".to_owned(),
        "a.b.c".to_owned(),
        format!("{header}.{payload}."),
        format!("{header}.{payload}"),
        format!("{header}.{payload}.{signature}."),
        format!("{header}.{payload}.{signature}="),
        format!("{header}.{payload}.{}", &signature[1..]),
        format!("{header}.{payload}.{signature}A"),
        format!("{}.{payload}.", with(&head, "alg", json!("none"))),
        format!(
            "{}.{payload}.{signature}",
            with(&head, "alg", json!("none"))
        ),
        format!(
            "{}.{payload}.{signature}",
            with(&head, "alg", json!("HS512"))
        ),
        format!(
            "{}.{payload}.{signature}",
            with(&head, "alg", json!("RS256"))
        ),
        format!("{}.{payload}.{signature}", with(&head, "typ", json!("JWT"))),
        format!(
            "{}.{payload}.{signature}",
            with(&head, "kid", json!("../../etc/passwd"))
        ),
        format!(
            "{}.{payload}.{signature}",
            with(&head, "jwk", json!({"kty": "oct", "k": "AA"}))
        ),
        "x".repeat(5000),
    ];
    for (name, value) in [
        ("exp", json!(99_999_999_999_u64)),
        ("sub", json!("01890000-0000-7000-8000-000000000000")),
        ("aud", json!({})),
        ("iss", json!(7)),
        ("nbf", json!(-1)),
        ("admin", json!(true)),
    ] {
        forged.push(format!(
            "{header}.{}.{signature}",
            with(&claims, name, value)
        ));
    }
    for token in &forged {
        let answer = service.call("GET", "/auth/me", &format!("{token} "), "");
        assert_eq!(answer.status, 401, "{token}");
        assert_eq!(
            service
                .send(
                    "GET",
                    "/auth/me",
                    &[("authorization", &format!("Basic {token}"))],
                    b""
                )
                .status,
            401
        );
    }
    let bearer = format!("Bearer {token}");
    let twice = [
        ("authorization", bearer.as_str()),
        ("authorization", bearer.as_str()),
    ];
    assert_eq!(service.send("GET", "/auth/me", &twice, b"").status, 401);
    assert_eq!(
        service
            .call("GET", &format!("/auth/me?access_token={token}"), "", "")
            .status,
        401
    );
    assert_eq!(service.call("GET", "/auth/me", &token, "").status, 200);
}
