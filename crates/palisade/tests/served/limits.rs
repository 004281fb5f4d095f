//! Limits by client, by route, by account and by class.

use crate::harness::{Answer, Server};

/// What a 429 says, whole.
fn is_held_back(answer: &Answer, limit: &str, count: u32, window: u32) {
    assert_eq!(answer.status, 429, "{}", answer.text);
    let document = answer.is_a_problem(limit);
    assert_eq!(document["type"], "urn:palisade:problem:too-many-requests");
    let wait: u32 = answer
        .header("retry-after")
        .and_then(|seconds| seconds.parse().ok())
        .expect("seconds to wait");
    // One comes back after each part of the window, whole seconds rounded up.
    assert!((1..=window / count + 1).contains(&wait), "{limit}: {wait}");
    let policy = format!("\"{limit}\";q={count};w={window}");
    assert_eq!(answer.header("ratelimit-policy"), Some(policy.as_str()));
    let left = format!("\"{limit}\";r=0;t={window}");
    assert_eq!(answer.header("ratelimit"), Some(left.as_str()));
}

#[test]
fn holds_back_one_client_and_not_another() {
    let server = Server::start(&[
        ("PALISADE_LIMITS__CLIENT", "4/h"),
        ("PALISADE_TRUSTED_PROXIES", "127.0.0.1"),
    ]);
    let from = |client: &str| server.get("/livez", &[("x-forwarded-for", client)]);
    for _ in 0..4 {
        let answer = from("192.0.2.1");
        assert_eq!(answer.status, 200);
        assert_eq!(
            answer.header("ratelimit-policy"),
            Some("\"client\";q=4;w=3600")
        );
    }
    is_held_back(&from("192.0.2.1"), "client", 4, 3600);
    assert_eq!(from("192.0.2.2").status, 200);
    for number in 1..=4 {
        assert_eq!(from(&format!("2001:db8:7::{number}")).status, 200);
    }
    is_held_back(&from("2001:db8:7::9"), "client", 4, 3600);
    assert_eq!(from("2001:db8:8::1").status, 200, "another network");
    // What stands left of the last entry is the client's own word.
    is_held_back(&from("203.0.113.5, 192.0.2.1"), "client", 4, 3600);
}

#[test]
fn forged_addresses_do_not_help_without_a_declared_proxy() {
    let server = Server::start(&[("PALISADE_LIMITS__CLIENT", "4/h")]);
    for number in 0..4 {
        let forged = format!("192.0.2.{number}");
        let headers = [
            ("x-forwarded-for", forged.as_str()),
            ("forwarded", "for=198.51.100.9"),
        ];
        assert_eq!(server.get("/livez", &headers).status, 200);
    }
    let answer = server.get("/livez", &[("x-forwarded-for", "192.0.2.77")]);
    is_held_back(&answer, "client", 4, 3600);
}

#[test]
fn counts_what_is_no_request_too() {
    let server = Server::start(&[("PALISADE_LIMITS__CLIENT", "4/h")]);
    let bad = b"GET  /livez HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n";
    for _ in 0..4 {
        assert_eq!(server.raw(bad).status, 400);
    }
    is_held_back(&server.get("/livez", &[]), "client", 4, 3600);
    is_held_back(&server.raw(bad), "client", 4, 3600);
}

#[test]
fn holds_back_by_route_and_says_what_is_left() {
    let server = Server::start(&[]);
    for left in [
        "\"/limited\";r=2;t=1200",
        "\"/limited\";r=1;t=2400",
        "\"/limited\";r=0;t=3600",
    ] {
        let answer = server.get("/limited", &[]);
        assert_eq!(
            (answer.status, answer.header("ratelimit")),
            (204, Some(left))
        );
    }
    is_held_back(&server.get("/limited", &[]), "/limited", 3, 3600);
    assert_eq!(server.get("/livez", &[]).status, 200, "no other route");
}

#[test]
fn routes_of_one_class_share_their_count() {
    let server = Server::start(&[]);
    assert_eq!(server.get("/search", &[]).status, 204);
    assert_eq!(server.get("/find", &[]).status, 204);
    is_held_back(&server.get("/search", &[]), "search", 2, 3600);
    is_held_back(&server.get("/find", &[]), "search", 2, 3600);
}

#[test]
fn counts_by_account_where_there_is_one_and_guesses_by_client() {
    let server = Server::start(&[]);
    let bearer = |email: &str| format!("Bearer {}", server.account(email));
    let (ann, bob) = (bearer("ann@example.com"), bearer("bob@example.com"));
    let call = |token: &str| server.get("/limited-account", &[("authorization", token)]);
    for _ in 0..3 {
        assert_eq!(call(&ann).status, 204);
    }
    is_held_back(&call(&ann), "/limited-account", 3, 3600);
    assert_eq!(
        call(&bob).status,
        204,
        "another account at the same address"
    );
    for _ in 0..3 {
        assert_eq!(call("Bearer guessed").status, 401);
    }
    is_held_back(&call("Bearer guessed"), "/limited-account", 3, 3600);
    assert_eq!(
        call(&bob).status,
        204,
        "who has a credential is not a guesser"
    );
}

#[test]
fn holds_back_sign_in_and_sign_up_unasked() {
    let server = Server::start(&[
        ("PALISADE_LIMITS__SIGN_IN", "2/h"),
        ("PALISADE_LIMITS__SIGN_UP", "1/h"),
    ]);
    let body = r#"{"email":"ann@example.com","password":"correct horse battery"}"#;
    assert_eq!(server.call("POST", "/auth/sign-up", &[], body).status, 201);
    is_held_back(
        &server.call("POST", "/auth/sign-up", &[], body),
        "sign-up",
        1,
        3600,
    );
    for _ in 0..2 {
        assert_eq!(server.call("POST", "/auth/sign-in", &[], body).status, 200);
    }
    is_held_back(
        &server.call("POST", "/auth/sign-in", &[], body),
        "sign-in",
        2,
        3600,
    );
}

#[test]
fn holds_back_whatever_stands_under_auth() {
    let server = Server::start(&[("PALISADE_LIMITS__AUTH", "2/h")]);
    for _ in 0..2 {
        assert_eq!(server.get("/.well-known/jwks.json", &[]).status, 200);
    }
    is_held_back(&server.get("/.well-known/jwks.json", &[]), "auth", 2, 3600);
    is_held_back(&server.get("/auth/me", &[]), "auth", 2, 3600);
    let token = format!("Bearer {}", server.account("ann@example.com"));
    let bearer = [("authorization", token.as_str())];
    assert_eq!(server.get("/auth/me", &bearer).status, 200);
    assert_eq!(
        server.call("POST", "/auth/sign-out", &bearer, "").status,
        204
    );
    // Its token is worth nothing any more, so that it is its client that asks.
    is_held_back(&server.get("/auth/me", &bearer), "auth", 2, 3600);
    let token = format!("Bearer {}", server.account("bob@example.com"));
    let bearer = [("authorization", token.as_str())];
    for _ in 0..2 {
        assert_eq!(server.get("/auth/me", &bearer).status, 200);
    }
    let refused = server.call("POST", "/auth/sign-out", &bearer, "");
    is_held_back(&refused, "auth", 2, 3600);
}

/// Every route of ours, so that a new one cannot be without.
#[test]
fn no_route_under_auth_is_without_a_limit() {
    let without: Vec<&str> = palisade::auth::routes()
        .into_iter()
        .filter(|route| route.limit.is_none())
        .map(|route| route.path)
        .collect();
    assert!(without.is_empty(), "{without:?}");
}

#[test]
fn counts_by_client_where_a_guard_of_the_app_counts_nothing() {
    let server = Server::start(&[]);
    for _ in 0..3 {
        assert_eq!(server.get("/limited-own-guard", &[]).status, 204);
    }
    is_held_back(
        &server.get("/limited-own-guard", &[]),
        "/limited-own-guard",
        3,
        3600,
    );
}
