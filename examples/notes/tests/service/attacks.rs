//! What hostile clients send.

use serde_json::json;

use crate::harness::Service;

/// What no answer may hold: the code's files, statements and types.
const LEAKS: [&str; 12] = [
    ".rs",
    "src/",
    "select ",
    "insert ",
    "sqlite",
    "sqlx",
    "palisade::",
    "notes::",
    "panicked",
    "constraint",
    "column",
    "serde",
];

#[test]
fn refuses_bodies_that_are_not_what_the_type_says() {
    let service = Service::start();
    // One account may make 30 notes in a minute, and tries count.
    let accounts =
        ["ann", "bob", "cid"].map(|name| service.account(&format!("{name}@example.com")));
    let deep = format!(r#"{{"title":{}1{}}}"#, "[".repeat(40), "]".repeat(40));
    let good = r#""title":"t","body":"b","stars":3"#;
    let cases: Vec<(u16, String)> = [
        (400, ""),
        (400, " "),
        (400, "{"),
        (400, "}"),
        (400, "{]"),
        (400, "nul"),
        (400, "'a'"),
        (400, "{\"title\""),
        (400, "{\"title\":}"),
        (400, "{\"title\":\"a\",}"),
        (400, "{title:1}"),
        (400, "{} {}"),
        (400, "{}x"),
        (400, "[1,]"),
        (400, "{\"a\":01}"),
        (400, "{\"a\":+1}"),
        (400, "{\"a\":NaN}"),
        (400, "{\"a\":Infinity}"),
        (400, "{\"a\":1e999}"),
        (400, "\"\\x\""),
        (400, "\"\\ud800\""),
        (400, "\u{feff}{}"),
        (422, "null"),
        (422, "true"),
        (422, "1"),
        (422, "\"text\""),
        (422, "[]"),
        (422, "[{}]"),
        (422, "{}"),
        (422, "{\"title\":null,\"body\":\"b\",\"stars\":3}"),
        (422, "{\"title\":1,\"body\":\"b\",\"stars\":3}"),
        (422, "{\"title\":[\"t\"],\"body\":\"b\",\"stars\":3}"),
        (422, "{\"title\":{\"$gt\":\"\"},\"body\":\"b\",\"stars\":3}"),
        (422, "{\"title\":\"\",\"body\":\"b\",\"stars\":3}"),
        (422, "{\"title\":\"t\",\"body\":\"b\",\"stars\":0}"),
        (422, "{\"title\":\"t\",\"body\":\"b\",\"stars\":6}"),
        (422, "{\"title\":\"t\",\"body\":\"b\",\"stars\":256}"),
        (422, "{\"title\":\"t\",\"body\":\"b\",\"stars\":-1}"),
        (422, "{\"title\":\"t\",\"body\":\"b\",\"stars\":3.5}"),
        (422, "{\"title\":\"t\",\"body\":\"b\",\"stars\":\"3\"}"),
        (
            422,
            "{\"title\":\"t\",\"body\":\"b\",\"stars\":99999999999999999999}",
        ),
        (422, "{\"title\":\"a\\u0000b\",\"body\":\"b\",\"stars\":3}"),
    ]
    .into_iter()
    .map(|(status, body)| (status, body.to_owned()))
    .chain([
        (400, deep),
        (
            422,
            format!("{{{good},\"owner_id\":\"01890000-0000-7000-8000-000000000000\"}}"),
        ),
        (
            422,
            format!("{{{good},\"id\":\"01890000-0000-7000-8000-000000000000\"}}"),
        ),
        (422, format!("{{{good},\"__proto__\":{{}}}}")),
        (422, format!("{{{good},\"title\":\"again\"}}")),
        (422, format!("{{{good},\"tags\":[\"a\",\"a\"]}}")),
        (422, format!("{{{good},\"tags\":[\"Not a slug\"]}}")),
        (
            422,
            format!("{{{good},\"tags\":[1,2,3,4,5,6,7,8,9,10,11]}}"),
        ),
        (
            422,
            format!(
                "{{\"title\":\"{}\",\"body\":\"b\",\"stars\":3}}",
                "t".repeat(201)
            ),
        ),
        (
            422,
            format!(
                "{{\"title\":\"t\",\"body\":\"{}\",\"stars\":3}}",
                "b".repeat(10_001)
            ),
        ),
    ])
    .collect();
    assert!(cases.len() > 50 && cases.len() <= 30 * accounts.len());
    for (at, (status, body)) in cases.into_iter().enumerate() {
        let bearer = format!("Bearer {}", accounts[at / 30]);
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
        ];
        let answer = service.send("POST", "/notes", &headers, body.as_bytes());
        assert_eq!(answer.status, status, "{body}: {}", answer.text);
        let own = LEAKS.into_iter().find(|leak| answer.text.contains(leak));
        assert_eq!(own, None, "{body}: {}", answer.text);
    }
    for account in accounts {
        assert_eq!(
            service.call("GET", "/notes", &account, "").json()["items"],
            json!([]),
            "nothing was made"
        );
    }
}

#[test]
fn tells_every_error_at_once_and_never_the_value() {
    let service = Service::start();
    let ann = service.account("ann@example.com");
    let body = r#"{"title":{"$gt":"MARKED"},"body":7,"stars":"MARKED","MARKED-not":1,"tags":["ok","NOT ok MARKED"]}"#;
    let answer = service.call("POST", "/notes", &ann, body);
    assert_eq!(answer.status, 422);
    let told = answer.json()["errors"]
        .as_array()
        .expect("errors")
        .iter()
        .map(|error| {
            format!(
                "{} {}",
                error["pointer"].as_str().unwrap_or_default(),
                error["code"].as_str().unwrap_or_default()
            )
        })
        .collect::<Vec<_>>();
    assert_eq!(
        told,
        [
            "/MARKED-not unknown",
            "/title type",
            "/body type",
            "/stars type",
            "/tags/1 slug"
        ]
    );
    assert_eq!(
        answer.text.matches("MARKED").count(),
        1,
        "only the unknown member's own name is told: {}",
        answer.text
    );
}

#[test]
fn refuses_other_content_types() {
    let service = Service::start();
    let ann = format!("Bearer {}", service.account("ann@example.com"));
    let body = br#"{"title":"t","body":"b","stars":3}"#;
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/jsonp",
        "application/json; charset=utf-16",
    ] {
        let headers = [("authorization", ann.as_str()), ("content-type", kind)];
        assert_eq!(
            service.send("POST", "/notes", &headers, body).status,
            415,
            "{kind}"
        );
    }
    assert_eq!(
        service
            .send("POST", "/notes", &[("authorization", &ann)], body)
            .status,
        415
    );
    let twice = [
        ("authorization", ann.as_str()),
        ("content-type", "application/json"),
        ("content-type", "text/plain"),
    ];
    assert_eq!(service.send("POST", "/notes", &twice, body).status, 415);
    let packed = [
        ("authorization", ann.as_str()),
        ("content-type", "application/json"),
        ("content-encoding", "gzip"),
    ];
    assert_eq!(service.send("POST", "/notes", &packed, body).status, 415);
    let fine = [
        ("authorization", ann.as_str()),
        ("content-type", "application/json; charset=UTF-8"),
    ];
    assert_eq!(service.send("POST", "/notes", &fine, body).status, 201);
}

#[test]
fn refuses_a_body_that_is_too_large_declared_or_not() {
    let service = Service::start();
    let ann = service.account("ann@example.com");
    let head = format!(
        "POST /notes HTTP/1.1\r\nhost: 127.0.0.1:{}\r\nauthorization: Bearer {ann}\r\ncontent-type: application/json\r\nconnection: close\r\n",
        service.port
    );
    let declared = service.raw(format!("{head}content-length: 1000000\r\n\r\n{{").as_bytes());
    assert_eq!(declared.status, 413);
    let chunk = format!("{:x}\r\n{}\r\n", 16_384, "a".repeat(16_384));
    let chunked = service.raw(
        format!(
            "{head}transfer-encoding: chunked\r\n\r\n{}0\r\n\r\n",
            chunk.repeat(6)
        )
        .as_bytes(),
    );
    assert_eq!(chunked.status, 413);
}

#[test]
fn refuses_unknown_and_repeated_query_keys() {
    let service = Service::start();
    let ann = service.account("ann@example.com");
    for (query, status) in [
        ("q=a", 200),
        ("q=a&q=b", 422),
        ("limit=1&limit=2", 422),
        ("page=2", 422),
        ("limit=0", 422),
        ("limit=101", 422),
        ("limit=01", 422),
        ("after=x", 400),
        ("q=", 422),
    ] {
        assert_eq!(
            service
                .call("GET", &format!("/notes?{query}"), &ann, "")
                .status,
            status,
            "{query}"
        );
    }
    for id in [
        "1",
        "x",
        "%00",
        "..",
        "01890000-0000-7000-8000-00000000000G",
        "01890000000070008000000000000000",
        "%ff",
    ] {
        assert_eq!(
            service
                .call("GET", &format!("/notes/{id}"), &ann, "")
                .status,
            404,
            "{id}"
        );
    }
}

#[test]
fn keeps_injection_strings_as_the_text_that_they_are() {
    let service = Service::start();
    let ann = service.account("ann@example.com");
    for text in [
        "'; drop table notes; --",
        "\\\" or 1=1 --",
        "${jndi:ldap://x}",
        "{{7*7}}",
        "%s%n",
        "$1",
        "{note}",
        "a' union select password_hash from palisade_accounts --",
    ] {
        let answer = service.call(
            "POST",
            "/notes",
            &ann,
            &format!(r#"{{"title":"{text}","body":"","stars":1}}"#),
        );
        assert_eq!(answer.status, 201, "{text}");
        assert_eq!(answer.json()["title"], text.replace("\\\"", "\""));
        let query: String = text
            .replace("\\\"", "\"")
            .bytes()
            .map(|byte| format!("%{byte:02X}"))
            .collect();
        let found = service.call("GET", &format!("/notes?q={query}"), &ann, "");
        assert_eq!(
            found.json()["items"].as_array().map(Vec::len),
            Some(1),
            "{text}"
        );
    }
}
