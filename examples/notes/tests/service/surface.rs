//! Each status and body of the surface.

use serde_json::json;

use crate::harness::Service;

#[test]
fn keeps_a_note_through_its_life() {
    let service = Service::start();
    let ann = service.account("ann@example.com");
    let body = r#"{"title":"hi","body":"<b onclick=x>bold</b><script>x</script>","stars":3,"tags":["b","a"]}"#;
    let made = service.call("POST", "/notes", &ann, body);
    assert_eq!(made.status, 201);
    let id = made.json()["id"].clone();
    assert_eq!(
        made.json(),
        json!({"id": id, "title": "hi", "body": "<b>bold</b>", "stars": 3, "tags": ["a", "b"]})
    );
    let path = format!("/notes/{}", id.as_str().expect("an id"));
    assert_eq!(service.call("GET", &path, &ann, "").json(), made.json());
    let edited = service.call("PATCH", &path, &ann, r#"{"title":"new"}"#);
    assert_eq!(
        (edited.status, edited.json()["title"].clone()),
        (200, json!("new"))
    );
    assert_eq!(edited.json()["stars"], 3);
    assert_eq!(service.call("DELETE", &path, &ann, "").status, 204);
    assert_eq!(service.call("GET", &path, &ann, "").status, 404);
}

#[test]
fn lists_in_pages_and_finds_by_title() {
    let service = Service::start();
    let ann = service.account("ann@example.com");
    let made: Vec<String> = (0..5)
        .map(|n| service.note(&ann, &format!("note {n}")))
        .collect();
    let mut seen = Vec::new();
    let mut path = "/notes?limit=2".to_owned();
    loop {
        let page = service.call("GET", &path, &ann, "").json();
        seen.extend(
            page["items"]
                .as_array()
                .expect("items")
                .iter()
                .map(|note| note["id"].as_str().expect("an id").to_owned()),
        );
        match page["next"].as_str() {
            Some(next) => path = format!("/notes?limit=2&after={next}"),
            None => break,
        }
    }
    seen.reverse();
    assert_eq!(seen, made);
    let found = service.call("GET", "/notes?q=NOTE%203", &ann, "").json();
    assert_eq!(found["items"].as_array().map(Vec::len), Some(1));
    // A pattern's own signs mean themselves.
    assert_eq!(
        service.call("GET", "/notes?q=%25", &ann, "").json()["items"],
        json!([])
    );
}

#[test]
fn refuses_every_cursor_that_was_changed() {
    let service = Service::start();
    let ann = service.account("ann@example.com");
    for n in 0..3 {
        service.note(&ann, &format!("note {n}"));
    }
    let page = service.call("GET", "/notes?limit=1", &ann, "").json();
    let cursor = page["next"].as_str().expect("a cursor").to_owned();
    for at in 0..cursor.len() {
        let other = if cursor.as_bytes()[at] == b'A' {
            'B'
        } else {
            'A'
        };
        let changed = format!("{}{other}{}", &cursor[..at], &cursor[at + 1..]);
        assert_eq!(
            service
                .call("GET", &format!("/notes?after={changed}"), &ann, "")
                .status,
            400,
            "{changed}"
        );
    }
    // The same cursor does not open another list: the search is another value, the statement the same, so it stays good there.
    assert_eq!(
        service
            .call("GET", &format!("/notes?after={cursor}&q=note"), &ann, "")
            .status,
        200
    );
}

#[test]
fn shares_a_note_to_be_read_and_nothing_more() {
    let service = Service::start();
    let (ann, bob) = (
        service.account("ann@example.com"),
        service.account("bob@example.com"),
    );
    let path = format!("/notes/{}", service.note(&ann, "ours"));
    assert_eq!(service.call("GET", &path, &bob, "").status, 404);
    let share = format!("{path}/shares");
    assert_eq!(
        service
            .call("POST", &share, &ann, r#"{"email":"bob@example.com"}"#)
            .status,
        204
    );
    assert_eq!(
        service
            .call("POST", &share, &ann, r#"{"email":"nobody@example.com"}"#)
            .status,
        204
    );
    assert_eq!(service.call("GET", &path, &bob, "").json()["title"], "ours");
    assert_eq!(
        service.call("GET", "/notes", &bob, "").json()["items"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
    assert_eq!(
        service
            .call("PATCH", &path, &bob, r#"{"title":"mine"}"#)
            .status,
        403
    );
    assert_eq!(service.call("DELETE", &path, &bob, "").status, 403);
    assert_eq!(
        service
            .call("POST", &share, &bob, r#"{"email":"bob@example.com"}"#)
            .status,
        403
    );
    assert_eq!(service.call("GET", &path, &ann, "").json()["title"], "ours");
}

#[test]
fn hides_a_note_from_other_accounts_on_every_route() {
    let service = Service::start();
    let (ann, eve) = (
        service.account("ann@example.com"),
        service.account("eve@example.com"),
    );
    let id = service.note(&ann, "private");
    let routes = [
        ("GET", format!("/notes/{id}"), ""),
        ("PATCH", format!("/notes/{id}"), r#"{"title":"stolen"}"#),
        ("DELETE", format!("/notes/{id}"), ""),
        (
            "POST",
            format!("/notes/{id}/shares"),
            r#"{"email":"eve@example.com"}"#,
        ),
    ];
    for (method, path, body) in &routes {
        let denied = service.call(method, path, &eve, body);
        let missing = service.call(
            method,
            &path.replace(&id, "01890000-0000-7000-8000-000000000000"),
            &eve,
            body,
        );
        assert_eq!(
            (denied.status, missing.status),
            (404, 404),
            "{method} {path}"
        );
        let plain = |answer: &crate::harness::Answer| {
            let mut json = answer.json();
            json["request_id"] = json!("");
            json
        };
        assert_eq!(
            plain(&denied),
            plain(&missing),
            "the two must not be told apart"
        );
        assert_eq!(service.call(method, path, "", body).status, 401);
    }
    assert_eq!(
        service
            .call("GET", &format!("/notes/{id}"), &ann, "")
            .json()["title"],
        "private"
    );
    assert_eq!(
        service.call("GET", "/notes", &eve, "").json()["items"],
        json!([])
    );
    assert!(
        service.stop().contains("authz_fail"),
        "denials are in the log"
    );
}

#[test]
fn answers_what_no_handler_answers_like_everything_else() {
    let service = Service::start();
    let missing = service.call("GET", "/nothing", "", "");
    assert_eq!(missing.status, 404);
    let wrong = service.call("PUT", "/notes", "", "");
    assert_eq!(
        (wrong.status, wrong.header("allow")),
        (405, Some("GET,HEAD,POST"))
    );
    let other_host =
        service.raw(b"GET /livez HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n");
    assert_eq!(other_host.status, 421);
    let long = service.call("GET", &format!("/{}", "a".repeat(9000)), "", "");
    assert_eq!(long.status, 414);
    for answer in [
        missing,
        wrong,
        other_host,
        long,
        service.call("GET", "/livez", "", ""),
    ] {
        for name in [
            "content-security-policy",
            "strict-transport-security",
            "x-content-type-options",
            "x-frame-options",
            "referrer-policy",
            "cache-control",
            "permissions-policy",
            "cross-origin-opener-policy",
            "cross-origin-resource-policy",
        ] {
            assert!(answer.header(name).is_some(), "{name} is missing");
        }
        assert!(answer.header("server").is_none());
        if answer.status != 200 {
            assert_eq!(
                answer.header("content-type"),
                Some("application/problem+json")
            );
            assert_eq!(
                answer.header("x-request-id"),
                answer.json()["request_id"].as_str()
            );
        }
    }
    assert_eq!(service.call("GET", "/readyz", "", "").status, 200);
}

#[test]
fn keeps_every_acknowledged_note_through_a_kill() {
    let service = Service::start();
    let ann = service.account("ann@example.com");
    let made: Vec<String> = (0..30)
        .map(|n| service.note(&ann, &format!("note {n}")))
        .collect();
    let service = service.kill_and_restart();
    // Another key: tokens of the old one are refused, the data is there.
    assert_eq!(service.call("GET", "/auth/me", &ann, "").status, 401);
    let ann = service.sign_in("ann@example.com");
    for id in made {
        assert_eq!(
            service
                .call("GET", &format!("/notes/{id}"), &ann, "")
                .status,
            200
        );
    }
}
