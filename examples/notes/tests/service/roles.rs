//! The first administrator, made on the command line, and what the log keeps of it.

use serde_json::{Value, json};

#[cfg(unix)]
use crate::harness::{Answer, PASSWORD};
use crate::harness::{Service, key, run};

/// Runs the program beside the service: its code, its output and its complaint.
fn program(service: &Service, key: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
    let variables = [
        ("PALISADE_ENV", "production"),
        ("PALISADE_ALLOWED_HOSTS", "notes.example.com"),
        ("PALISADE_TRUSTED_PROXIES", "10.0.0.0/24"),
        ("DATABASE_URL", "sqlite:data/notes.sqlite"),
        ("PALISADE_SECRET_KEY", key),
        ("PALISADE_AUTH__REQUIRE_VERIFIED_EMAIL", "false"),
    ];
    let output = run(service.folder.path(), arguments, &variables);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

/// The events of this name, as the log has them.
fn events(log: &str, name: &str) -> Vec<Value> {
    let lines = log
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    lines.filter(|line: &Value| line["event"] == name).collect()
}

#[test]
fn the_command_line_makes_the_first_administrator_of_a_running_service() {
    let key = key();
    let service = Service::start_with_key(&key, &[]);
    let ann = service.account("ann@example.com");
    let admin = |token: &str| service.call("GET", "/auth/admin/accounts", token, "");
    assert_eq!((admin(&ann).status, admin("").status), (403, 401));

    let (code, said, complaint) = program(&service, &key, &["grant", "admin", "Ann@Example.com"]);
    assert_eq!(code, Some(0), "{complaint}");
    assert!(
        said.ends_with("this account has the role `admin` now\n"),
        "{said}"
    );
    let told = events(&said, "privilege_permissions_changed");
    let [event] = told.as_slice() else {
        panic!("one event: {said}")
    };
    let me = service.call("GET", "/auth/me", &ann, "").json();
    assert_eq!(
        (&event["account"], &event["action"], &event["resource"]),
        (&me["id"], &json!("grant"), &json!("admin"))
    );
    assert!(event["actor"].is_null(), "{event}");

    let accounts = admin(&ann);
    assert_eq!(accounts.status, 200, "{}", accounts.text);
    assert_eq!(accounts.json()["items"][0]["email"], "ann@example.com");
    let (code, said, _) = program(&service, &key, &["grant", "admin", "ann@example.com"]);
    assert_eq!(
        (code, said.as_str()),
        (Some(0), "this account had the role `admin` already\n")
    );

    for (arguments, complaint) in [
        (
            ["revoke", "admin", "ann@example.com"],
            "this is the last account that may manage accounts",
        ),
        (
            ["grant", "emperor", "ann@example.com"],
            "the role `emperor` is none of this app",
        ),
        (
            ["grant", "admin", "nobody@example.com"],
            "no account has this address",
        ),
    ] {
        let (code, _, said) = program(&service, &key, &arguments);
        assert_eq!(code, Some(78), "{arguments:?}");
        assert!(said.contains(complaint), "{said}");
    }
    assert_eq!(admin(&ann).status, 200);
}

/// Calls through the proxy that production declares.
#[cfg(unix)]
fn call(service: &Service, method: &str, path: &str, token: &str, body: &str) -> Answer {
    let bearer = format!("Bearer {token}");
    let mut headers = vec![
        ("x-forwarded-proto", "https"),
        ("x-forwarded-for", "192.0.2.7"),
        ("content-type", "application/json"),
    ];
    if !token.is_empty() {
        headers.push(("authorization", &bearer));
    }
    service.send(method, path, &headers, body.as_bytes())
}

/// Signs up and in: the token and the account's id.
#[cfg(unix)]
fn account(service: &Service, email: &str) -> (String, String) {
    let body = json!({"email": email, "password": PASSWORD}).to_string();
    let signed_up = call(service, "POST", "/auth/sign-up", "", &body);
    assert_eq!(signed_up.status, 201, "{}", signed_up.text);
    let text = |answer: Answer, name: &str| answer.json()[name].as_str().expect("text").to_owned();
    let signed_in = call(service, "POST", "/auth/sign-in", "", &body);
    let token = text(signed_in, "access_token");
    let id = text(call(service, "GET", "/auth/me", &token, ""), "id");
    (token, id)
}

#[cfg(unix)]
#[test]
fn the_log_says_who_did_what_to_whom() {
    let key = key();
    let production = [
        ("PALISADE_ENV", "production"),
        ("PALISADE_ALLOWED_HOSTS", "127.0.0.1"),
        ("PALISADE_TRUSTED_PROXIES", "127.0.0.1"),
        ("PALISADE_SECRET_KEY", &*key),
        ("PALISADE_AUTH__REQUIRE_VERIFIED_EMAIL", "false"),
    ];
    let folder = tempfile::tempdir().expect("a folder");
    Service::migrate(folder.path(), &production);
    let service = Service::start_on(folder, &production);
    let (ann, anns) = account(&service, "ann@example.com");
    let (bob, bobs) = account(&service, "bob@example.com");
    let granted = program(&service, &key, &["grant", "admin", "ann@example.com"]);
    assert_eq!(granted.0, Some(0), "{}", granted.2);
    for (method, what) in [
        ("PUT", "/roles/admin"),
        ("DELETE", "/roles/admin"),
        ("POST", "/unlock"),
        ("POST", "/sign-out"),
        ("POST", "/disable"),
        ("POST", "/enable"),
        ("DELETE", ""),
    ] {
        let path = format!("/auth/admin/accounts/{bobs}{what}");
        let answer = call(&service, method, &path, &ann, "");
        assert_eq!(answer.status, 204, "{method} {what}: {}", answer.text);
    }
    assert_eq!(call(&service, "GET", "/auth/me", &bob, "").status, 401);
    assert_eq!(call(&service, "GET", "/auth/export", &ann, "").status, 200);
    let log = service.stop();
    let told = |name: &str| -> Vec<(Value, Value)> {
        let about = |event: Value, of: &str| {
            let whom = (event["actor"].as_str(), event["account"].as_str());
            assert_eq!(whom, (Some(&*anns), Some(of)), "{event}");
            (event["action"].clone(), event["resource"].clone())
        };
        let of = if name == "sensitive_read" {
            &anns
        } else {
            &bobs
        };
        events(&log, name)
            .into_iter()
            .map(|event| about(event, of))
            .collect()
    };
    let null = Value::Null;
    assert_eq!(
        told("privilege_permissions_changed"),
        [
            (json!("grant"), json!("admin")),
            (json!("revoke"), json!("admin"))
        ]
    );
    let done: Vec<Value> = told("authz_admin")
        .into_iter()
        .map(|(action, _)| action)
        .collect();
    assert_eq!(done, ["unlock", "sign-out", "disable", "enable"]);
    assert_eq!(told("user_deleted"), [(null.clone(), null.clone())]);
    assert_eq!(told("sensitive_read"), [(null.clone(), null)]);
}
