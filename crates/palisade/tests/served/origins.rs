//! Pages of other origins: who may call, who may read, who may not even try.

use crate::harness::Server;

const APP: &str = "https://app.example.org";

fn open() -> Server {
    Server::start(&[
        (
            "PALISADE_CORS__ORIGINS",
            "https://app.example.org,http://localhost:5173",
        ),
        ("PALISADE_CORS__CREDENTIALS", "true"),
    ])
}

#[test]
fn a_preflight_is_answered_from_the_route_table() {
    let server = open();
    let ask = |path: &str, origin: &str| {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
        ];
        server.call("OPTIONS", path, &headers, "")
    };
    let answer = ask("/things", APP);
    assert_eq!(answer.status, 204);
    for (name, value) in [
        ("access-control-allow-origin", APP),
        ("access-control-allow-methods", "POST"),
        (
            "access-control-allow-headers",
            "authorization, content-type",
        ),
        ("access-control-allow-credentials", "true"),
        ("access-control-max-age", "600"),
        ("vary", "origin"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{name}");
    }
    let show = ask("/things/018f3c52-0000-7000-8000-000000000000", APP);
    assert_eq!(
        show.header("access-control-allow-methods"),
        Some("GET, HEAD")
    );
    assert_eq!(ask("/nowhere", APP).status, 404);
    for other in [
        "https://evil.example",
        "null",
        "https://app.example.org.evil.example",
        "https://app.example.org:443",
    ] {
        let answer = ask("/things", other);
        assert_eq!(answer.status, 403, "{other}");
        answer.is_a_problem(other);
        assert_eq!(
            answer.header("access-control-allow-origin"),
            None,
            "{other}"
        );
    }
}

#[test]
fn only_an_allowed_page_may_read_the_answer() {
    let server = open();
    let answer = server.get("/livez", &[("origin", APP)]);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), Some(APP));
    assert_eq!(
        answer.header("cross-origin-resource-policy"),
        Some("cross-origin")
    );
    let exposed = answer
        .header("access-control-expose-headers")
        .unwrap_or_default();
    assert!(exposed.contains("x-request-id"), "{exposed}");
    for origin in ["https://evil.example", "null"] {
        let answer = server.get("/livez", &[("origin", origin)]);
        assert_eq!(
            (answer.status, answer.header("access-control-allow-origin")),
            (200, None)
        );
        assert_eq!(
            answer.header("vary"),
            Some("origin"),
            "a cache must not mix them up"
        );
        answer.has_every_header(origin);
    }
    let closed = Server::start(&[]);
    let answer = closed.get("/livez", &[("origin", APP)]);
    assert_eq!(
        (
            answer.header("access-control-allow-origin"),
            answer.header("vary")
        ),
        (None, None)
    );
}

#[test]
fn an_unsafe_request_of_another_site_reaches_no_handler() {
    let server = open();
    let body = r#"{"name":"a"}"#;
    let post = |headers: &[(&str, &str)]| server.call("POST", "/echo", headers, body);
    assert_eq!(post(&[]).status, 200, "a program");
    assert_eq!(
        post(&[("sec-fetch-site", "same-origin"), ("cookie", "a=b")]).status,
        200
    );
    assert_eq!(
        post(&[("origin", APP), ("sec-fetch-site", "cross-site")]).status,
        200,
        "allowed by CORS"
    );
    assert_eq!(
        post(&[("origin", "http://localhost:3000")]).status,
        200,
        "ours"
    );
    for refused in [
        &[("sec-fetch-site", "cross-site")][..],
        &[("sec-fetch-site", "same-site")],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("cookie", "session=x")],
        &[("cookie", "session=x"), ("authorization", "Bearer x")],
        &[("origin", "https://evil.example"), ("host", "evil.example")],
    ] {
        let answer = post(refused);
        assert!(
            matches!(answer.status, 403 | 421),
            "{refused:?}: {}",
            answer.text
        );
        answer.is_a_problem("refused");
    }
}
