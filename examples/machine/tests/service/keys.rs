//! Keys: what they open, and what is left of them anywhere.

use serde_json::{Value, json};

use crate::harness::Service;

#[test]
fn open_what_their_scopes_say() {
    let service = Service::start();
    let ann = service.person("ann@example.com");
    let (reads, _) = service.key(&ann, &["orders.read"]);
    let (writes, _) = service.key(&ann, &["orders.write"]);
    let placed = service.place(&writes, "one", "lamp");
    assert_eq!(placed.status, 201, "{}", placed.text);
    assert_eq!(service.orders(&reads).len(), 1);
    let refused = service.place(&reads, "one", "lamp");
    assert_eq!(
        (refused.status, refused.header("www-authenticate")),
        (
            403,
            Some("Bearer error=\"insufficient_scope\", scope=\"orders.write\"")
        )
    );
    assert_eq!(service.call("GET", "/orders", &writes, "").status, 403);
    // A person is no program, and a program no person.
    assert_eq!(service.call("GET", "/orders", &ann, "").status, 401);
    assert_eq!(service.call("GET", "/auth/me", &reads, "").status, 401);
    let body = json!({"name": "all", "scopes": ["orders.all"]}).to_string();
    let unknown = service.call("POST", "/auth/api-keys", &ann, &body);
    assert_eq!(unknown.status, 422);
}

#[test]
fn stand_nowhere_but_in_the_answer_that_made_them() {
    let service = Service::start_in_production();
    let ann = service.person("ann@example.com");
    let (key, id) = service.key(&ann, &["orders.read", "orders.write"]);
    assert_eq!(service.place(&key, "one-of-a-kind", "lamp").status, 201);
    let (other, other_id) = service.key(&ann, &["orders.read"]);
    let in_query = format!("/orders?api_key={key}");
    assert_eq!(service.call("GET", &in_query, "", "").status, 400);
    let wrong = format!(
        "{}{}",
        &key[..73],
        if key.ends_with('A') { "B" } else { "A" }
    );
    assert_eq!(service.call("GET", "/orders", &wrong, "").status, 401);
    let path = format!("/auth/api-keys/{id}/rotate");
    let rotated = service.call("POST", &path, &ann, r#"{"overlap_seconds":0}"#);
    let next = rotated.json()["key"].as_str().expect("a key").to_owned();
    assert_eq!(service.call("GET", "/orders", &key, "").status, 401);
    let path = format!("/auth/api-keys/{other_id}");
    assert_eq!(service.call("DELETE", &path, &ann, "").status, 204);
    assert_eq!(service.call("GET", "/orders", &other, "").status, 401);
    let list = service.call("GET", "/auth/api-keys", &ann, "").text;
    let data = service.data();
    let log = service.stop();
    for secret in [
        &key[26..],
        &next[26..],
        &other[26..],
        &wrong[26..],
        "one-of-a-kind",
    ] {
        let bytes = secret.as_bytes();
        assert!(!data.windows(bytes.len()).any(|window| window == bytes));
        assert!(!list.contains(secret) && !log.contains(secret), "{log}");
    }
    // What happened is there.
    let events: Vec<Value> = log
        .lines()
        .filter(|line| line.contains("palisade::event") && line.contains("api_key"))
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let told = |event: &Value| {
        let text = |name: &str| {
            let text = event["fields"][name].as_str().or(event[name].as_str());
            text.unwrap_or_default().to_owned()
        };
        (text("event"), text("key"), text("reason"))
    };
    let told: Vec<_> = events.iter().map(told).collect();
    let event = |name: &str, key: &str, reason: &str| {
        (
            format!("authn_api_key_{name}"),
            key.to_owned(),
            reason.to_owned(),
        )
    };
    assert_eq!(
        told,
        [
            event("created", &id, ""),
            event("created", &other_id, ""),
            event("in_query", &id, ""),
            event("refused", "", "malformed"),
            event("rotated", &id, ""),
            event("refused", &id, "expired"),
            event("revoked", &other_id, ""),
            event("refused", "", "unknown"),
        ]
    );
    let placed = log.lines().find(|line| {
        line.contains("palisade::access")
            && line.contains("\"status\":201")
            && line.contains("/orders")
    });
    let placed: Value = serde_json::from_str(placed.expect("a line")).expect("JSON");
    assert_eq!(placed["api_key"], id.as_str());
    assert!(placed["actor"].is_string());
}
