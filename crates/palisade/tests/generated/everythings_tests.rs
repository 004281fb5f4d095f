//! Everythings as their clients see them: what their owner may, what nobody else may, what is refused.

use serde_json::{Value, json};

use crate::server::Server;
use crate::sign_in;

const PATH: &str = "/everythings";
/// One that nobody made.
const NONE: &str = "/everythings/0190163d-8694-739b-aea5-966c26f8ad91";

/// Values within the bounds.
fn first() -> Value {
    json!({
        "title": "one title",
        "summary": "one summary",
        "body": "<p>one</p>",
        "footnote": "<p>one</p>",
        "contact": "ada@example.org",
        "backup": "ada@example.org",
        "handle": "one-slug",
        "alias": "one-slug",
        "homepage": "https://example.com/",
        "mirror": "https://example.com/",
        "done": true,
        "pinned": true,
        "due": "2026-01-31",
        "ended": "2026-01-31",
        "starts_at": "2026-01-31T12:00:00Z",
        "ends_at": "2026-01-31T12:00:00Z",
        "stars": 1,
        "bytes": -30,
        "rating": 0.5,
        "status": "draft",
        "mood": "good",
        "lines": ["one lines"],
        "hints": ["https://example.com/"],
        "tags": ["one-slug"],
        "days": ["2026-01-31"],
        "ports": [1],
        "flags": [true],
        "notes": ["<p>one</p>"],
        "moments": ["2026-01-31T12:00:00Z"],
        "score": -1.0,
        "levels": [0],
    })
}

/// Other ones.
fn second() -> Value {
    json!({
        "title": "another title",
        "summary": "another summary",
        "body": "<p>another</p>",
        "footnote": "<p>another</p>",
        "contact": "grace@example.org",
        "backup": "grace@example.org",
        "handle": "another-slug",
        "alias": "another-slug",
        "homepage": "https://example.org/another",
        "mirror": "https://example.org/another",
        "done": false,
        "pinned": false,
        "due": "2028-02-29",
        "ended": "2028-02-29",
        "starts_at": "2028-02-29T23:59:59Z",
        "ends_at": "2028-02-29T23:59:59Z",
        "stars": 5,
        "bytes": 5000000000_i64,
        "rating": 5.0,
        "status": "in_review",
        "mood": "bad",
        "lines": ["another lines"],
        "hints": ["https://example.org/another"],
        "tags": ["another-slug"],
        "days": ["2028-02-29"],
        "ports": [65535],
        "flags": [false],
        "notes": ["<p>another</p>"],
        "moments": ["2028-02-29T23:59:59Z"],
        "score": 1.0,
        "levels": [9],
    })
}

/// Values out of bounds; each is refused by itself.
fn broken() -> Vec<Value> {
    vec![
        json!({ "title": "" }),
        json!({ "title": "x".repeat(201) }),
        json!({ "summary": "x".repeat(2001) }),
        json!({ "body": "x".repeat(10001) }),
        json!({ "footnote": "x".repeat(501) }),
        json!({ "contact": "not an address" }),
        json!({ "backup": "not an address" }),
        json!({ "handle": "Not a slug" }),
        json!({ "alias": "Not a slug" }),
        json!({ "homepage": "javascript:alert(1)" }),
        json!({ "homepage": "not an address" }),
        json!({ "mirror": "javascript:alert(1)" }),
        json!({ "mirror": "not an address" }),
        json!({ "done": "yes" }),
        json!({ "pinned": "yes" }),
        json!({ "due": "2026-02-30" }),
        json!({ "due": "tomorrow" }),
        json!({ "ended": "2026-02-30" }),
        json!({ "ended": "tomorrow" }),
        json!({ "starts_at": "2026-02-30T00:00:00Z" }),
        json!({ "starts_at": "2026-01-31" }),
        json!({ "ends_at": "2026-02-30T00:00:00Z" }),
        json!({ "ends_at": "2026-01-31" }),
        json!({ "stars": 0 }),
        json!({ "stars": 6 }),
        json!({ "stars": "many" }),
        json!({ "bytes": -31 }),
        json!({ "bytes": 5000000001_i64 }),
        json!({ "bytes": "many" }),
        json!({ "rating": -0.5 }),
        json!({ "rating": 6.0 }),
        json!({ "status": "none of these" }),
        json!({ "mood": "none of these" }),
        json!({ "lines": vec![json!("one one"); 21] }),
        json!({ "lines": [{}] }),
        json!({ "hints": vec![json!("https://example.com/"); 4] }),
        json!({ "hints": [{}] }),
        json!({ "tags": vec![json!("one-slug"); 11] }),
        json!({ "tags": [{}] }),
        json!({ "tags": ["one-slug", "one-slug"] }),
        json!({ "days": vec![json!("2026-01-31"); 8] }),
        json!({ "days": [{}] }),
        json!({ "days": ["2026-01-31", "2026-01-31"] }),
        json!({ "ports": vec![json!(1); 5] }),
        json!({ "ports": [{}] }),
        json!({ "flags": vec![json!(true); 9] }),
        json!({ "flags": [{}] }),
        json!({ "notes": vec![json!("<p>one</p>"); 6] }),
        json!({ "notes": [{}] }),
        json!({ "moments": vec![json!("2026-01-31T12:00:00Z"); 6] }),
        json!({ "moments": [{}] }),
        json!({ "moments": ["2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"] }),
        json!({ "score": -2.0 }),
        json!({ "score": 2.0 }),
        json!({ "levels": vec![json!(0); 4] }),
        json!({ "levels": [{}] }),
        json!({ "levels": [0, 0] }),
    ]
}

/// Makes an everything and answers its path.
fn make(server: &Server, token: &str) -> String {
    let (status, answer) = server.call("POST", PATH, Some(token), Some(&first()));
    assert_eq!(status, 201, "{answer}");
    format!("{PATH}/{}", answer["id"].as_str().unwrap())
}

/// Each of these members stands in the answer as it was sent.
fn holds(answer: &Value, sent: &Value) {
    for (member, value) in sent.as_object().unwrap() {
        assert_eq!(&answer[member], value, "{member}");
    }
}

/// The members that a refusal names, each once.
fn refused(answer: &Value) -> Vec<&str> {
    let errors = answer["errors"].as_array().unwrap();
    let mut members: Vec<&str> = errors
        .iter()
        .filter_map(|error| error["pointer"].as_str()?.split('/').nth(1))
        .collect();
    members.dedup();
    members
}

#[test]
fn its_owner_makes_it_and_sees_it() {
    let server = Server::start();
    let ada = sign_in(&server, "ada@example.com");
    let path = make(&server, &ada);
    let (status, answer) = server.call("GET", &path, Some(&ada), None);
    assert_eq!(status, 200);
    holds(&answer, &first());
    assert_eq!(answer["owner_id"], Value::Null, "it leaves the server");
}

#[test]
fn its_owner_finds_it_in_the_list() {
    let server = Server::start();
    let ada = sign_in(&server, "ada@example.com");
    let path = make(&server, &ada);
    let (status, page) = server.call("GET", PATH, Some(&ada), None);
    assert_eq!((status, page["items"].as_array().unwrap().len()), (200, 1));
    holds(&page["items"][0], &first());
    assert!(path.ends_with(page["items"][0]["id"].as_str().unwrap()));
}

#[test]
fn its_owner_changes_what_is_sent_and_nothing_else() {
    let server = Server::start();
    let ada = sign_in(&server, "ada@example.com");
    let path = make(&server, &ada);
    let (status, answer) = server.call("PATCH", &path, Some(&ada), Some(&json!({})));
    assert_eq!(status, 200);
    holds(&answer, &first());
    let (status, answer) = server.call("PATCH", &path, Some(&ada), Some(&second()));
    assert_eq!(status, 200);
    holds(&answer, &second());
    let cleared = json!({
        "summary": null,
        "footnote": null,
        "backup": null,
        "alias": null,
        "mirror": null,
        "pinned": null,
        "ended": null,
        "ends_at": null,
        "bytes": null,
        "mood": null,
        "hints": null,
        "days": null,
        "score": null,
    });
    let (status, answer) = server.call("PATCH", &path, Some(&ada), Some(&cleared));
    assert_eq!(status, 200);
    holds(&answer, &cleared);
}

#[test]
fn its_owner_deletes_it() {
    let server = Server::start();
    let ada = sign_in(&server, "ada@example.com");
    let path = make(&server, &ada);
    let (status, _) = server.call("DELETE", &path, Some(&ada), None);
    assert_eq!(status, 204);
    let (status, _) = server.call("GET", &path, Some(&ada), None);
    assert_eq!(status, 404);
}

#[test]
fn nobody_else_finds_it_in_a_list() {
    let server = Server::start();
    let ada = sign_in(&server, "ada@example.com");
    let bob = sign_in(&server, "bob@example.com");
    make(&server, &ada);
    let (status, page) = server.call("GET", PATH, Some(&bob), None);
    assert_eq!((status, &page["items"]), (200, &json!([])));
}

#[test]
fn nobody_makes_it_for_somebody_else() {
    let server = Server::start();
    let ada = sign_in(&server, "ada@example.com");
    let bob = sign_in(&server, "bob@example.com");
    let mut sent = first();
    sent["owner_id"] = json!("0190163d-8694-739b-aea5-966c26f8ad91");
    let (status, answer) = server.call("POST", PATH, Some(&bob), Some(&sent));
    assert_eq!((status, refused(&answer)), (422, vec!["owner_id"]));
    make(&server, &bob);
    let (_, page) = server.call("GET", PATH, Some(&ada), None);
    assert_eq!(page["items"], json!([]));
}

#[test]
fn nobody_else_sees_it() {
    let server = Server::start();
    let ada = sign_in(&server, "ada@example.com");
    let bob = sign_in(&server, "bob@example.com");
    let path = make(&server, &ada);
    let (status, _) = server.call("GET", &path, Some(&bob), None);
    assert_eq!(status, 404);
}

#[test]
fn nobody_else_changes_it() {
    let server = Server::start();
    let ada = sign_in(&server, "ada@example.com");
    let bob = sign_in(&server, "bob@example.com");
    let path = make(&server, &ada);
    let (status, _) = server.call("PATCH", &path, Some(&bob), Some(&second()));
    assert_eq!(status, 404);
    let (_, answer) = server.call("GET", &path, Some(&ada), None);
    holds(&answer, &first());
}

#[test]
fn nobody_else_deletes_it() {
    let server = Server::start();
    let ada = sign_in(&server, "ada@example.com");
    let bob = sign_in(&server, "bob@example.com");
    let path = make(&server, &ada);
    let (status, _) = server.call("DELETE", &path, Some(&bob), None);
    assert_eq!(status, 404);
    let (status, _) = server.call("GET", &path, Some(&ada), None);
    assert_eq!(status, 200);
}

#[test]
fn a_stranger_is_asked_to_sign_in() {
    let server = Server::start();
    for (method, path, body) in [
        ("GET", PATH, None),
        ("POST", PATH, Some(first())),
        ("GET", NONE, None),
        ("PATCH", NONE, Some(second())),
        ("DELETE", NONE, None),
    ] {
        let (status, _) = server.call(method, path, None, body.as_ref());
        assert_eq!(status, 401, "{method} {path}");
    }
}

#[test]
fn what_is_missing_or_of_another_type_is_refused() {
    let server = Server::start();
    let ada = sign_in(&server, "ada@example.com");
    let required = json!({ "members": [
        "title",
        "body",
        "contact",
        "handle",
        "homepage",
        "done",
        "due",
        "starts_at",
        "stars",
        "rating",
        "status",
        "lines",
        "tags",
        "ports",
        "flags",
        "notes",
        "moments",
        "levels",
    ] });
    let (status, answer) = server.call("POST", PATH, Some(&ada), Some(&json!({})));
    assert_eq!(status, 422);
    assert_eq!(json!(refused(&answer)), required["members"]);
    let strange = json!({
        "title": { "$gt": "" },
        "summary": { "$gt": "" },
        "body": { "$gt": "" },
        "footnote": { "$gt": "" },
        "contact": { "$gt": "" },
        "backup": { "$gt": "" },
        "handle": { "$gt": "" },
        "alias": { "$gt": "" },
        "homepage": { "$gt": "" },
        "mirror": { "$gt": "" },
        "done": { "$gt": "" },
        "pinned": { "$gt": "" },
        "due": { "$gt": "" },
        "ended": { "$gt": "" },
        "starts_at": { "$gt": "" },
        "ends_at": { "$gt": "" },
        "stars": { "$gt": "" },
        "bytes": { "$gt": "" },
        "rating": { "$gt": "" },
        "status": { "$gt": "" },
        "mood": { "$gt": "" },
        "lines": { "$gt": "" },
        "hints": { "$gt": "" },
        "tags": { "$gt": "" },
        "days": { "$gt": "" },
        "ports": { "$gt": "" },
        "flags": { "$gt": "" },
        "notes": { "$gt": "" },
        "moments": { "$gt": "" },
        "score": { "$gt": "" },
        "levels": { "$gt": "" },
    });
    let path = make(&server, &ada);
    for (method, path) in [("POST", PATH), ("PATCH", &path)] {
        let (status, answer) = server.call(method, path, Some(&ada), Some(&strange));
        assert_eq!(status, 422, "{method}");
        assert_eq!(refused(&answer).len(), strange.as_object().unwrap().len());
    }
}

#[test]
fn what_is_out_of_bounds_is_refused() {
    let server = Server::start();
    let ada = sign_in(&server, "ada@example.com");
    let path = make(&server, &ada);
    for change in broken() {
        let member = change.as_object().unwrap().keys().next().unwrap();
        let (status, answer) = server.call("PATCH", &path, Some(&ada), Some(&change));
        assert_eq!((status, refused(&answer)), (422, vec![member.as_str()]));
    }
    let (_, answer) = server.call("GET", &path, Some(&ada), None);
    holds(&answer, &first());
}

#[test]
fn scripts_are_taken_out() {
    let server = Server::start();
    let ada = sign_in(&server, "ada@example.com");
    let path = make(&server, &ada);
    let sent = json!({
        "body": "<p>hi<script>steal()</script></p>",
        "footnote": "<p>hi<script>steal()</script></p>",
    });
    let (status, answer) = server.call("PATCH", &path, Some(&ada), Some(&sent));
    assert_eq!(status, 200);
    for member in sent.as_object().unwrap().keys() {
        assert_eq!(answer[member], "<p>hi</p>", "{member}");
    }
}
