//! What stands around every route: the form of requests, their host, their size and time, and the headers of every answer.

use std::io::Write as _;
use std::time::{Duration, Instant};

use crate::harness::{Answer, Server};

#[test]
fn every_answer_carries_every_header_and_every_refusal_looks_alike() {
    let server = Server::start(&[("PALISADE_HANDLER_TIMEOUT", "3s")]);
    let ok = server.get("/livez", &[]);
    assert_eq!(
        (ok.status, ok.json()["status"].as_str()),
        (200, Some("alive"))
    );
    ok.has_every_header("200");
    let long = format!("/{}", "a".repeat(9_000));
    let json = [("content-type", "application/json")];
    let text = [("content-type", "text/plain")];
    let big = format!(r#"{{"name":"{}"}}"#, "b".repeat(20_000));
    type Case<'a> = (
        u16,
        &'a str,
        &'a str,
        &'a [(&'a str, &'a str)],
        &'a str,
        &'a str,
    );
    let cases: &[Case<'_>] = &[
        (400, "POST", "/echo", &json, "{", "bad-request"),
        (401, "GET", "/auth/me", &[], "", "unauthorized"),
        (403, "GET", "/refused", &[], "", "forbidden"),
        (404, "GET", "/nowhere", &[], "", "not-found"),
        (405, "DELETE", "/echo", &[], "", "method-not-allowed"),
        (413, "POST", "/echo", &json, &big, "too-large"),
        (414, "GET", &long, &[], "", "uri-too-long"),
        (415, "POST", "/echo", &text, "{}", "unsupported-media-type"),
        (
            421,
            "GET",
            "/livez",
            &[("host", "evil.example")],
            "",
            "misdirected",
        ),
        (422, "POST", "/echo", &json, "{}", "invalid-input"),
        (500, "GET", "/panic", &[], "", "internal"),
        (504, "GET", "/slow", &[], "", "timed-out"),
    ];
    for (status, method, path, headers, body, kind) in cases {
        let answer = server.call(method, path, headers, body);
        assert_eq!(answer.status, *status, "{method} {kind}: {}", answer.text);
        let document = answer.is_a_problem(kind);
        assert_eq!(document["type"], format!("urn:palisade:problem:{kind}"));
    }
    assert_eq!(
        server.call("DELETE", "/echo", &[], "").header("allow"),
        Some("POST")
    );
    let head = server.call("HEAD", "/livez", &[], "");
    assert_eq!((head.status, head.text.as_str()), (200, ""));
    head.has_every_header("HEAD");
}

#[test]
fn answers_to_allowed_hosts_alone() {
    let server = Server::start(&[("PALISADE_ALLOWED_HOSTS", "api.example.org")]);
    let with = |hosts: &[&str], target: &str| {
        let hosts: String = hosts
            .iter()
            .map(|host| format!("host: {host}\r\n"))
            .collect();
        let request = format!("GET {target} HTTP/1.1\r\nconnection: close\r\n{hosts}\r\n");
        server.raw(request.as_bytes()).status
    };
    assert_eq!(with(&["api.example.org"], "/livez"), 200);
    assert_eq!(with(&["API.example.org:8443"], "/livez"), 200);
    assert_eq!(
        with(&["api.example.org"], "http://api.example.org/livez"),
        200
    );
    for (hosts, target) in [
        (&["127.0.0.1"][..], "/livez"),
        (&["api.example.org.evil.example"], "/livez"),
        (&["evil@api.example.org"], "/livez"),
        (&["api.example.org", "api.example.org"], "/livez"),
        (&["evil.example", "api.example.org"], "/livez"),
        (&["api.example.org"], "http://evil.example/livez"),
        (&["evil.example"], "http://api.example.org/livez"),
        (&[""], "/livez"),
        (&[], "/livez"),
    ] {
        let status = with(hosts, target);
        assert!(matches!(status, 400 | 421), "{hosts:?} {target}: {status}");
    }
}

#[test]
fn drops_a_body_that_is_slow_and_one_that_never_ends() {
    let server = Server::start(&[("PALISADE_LIMITS__BODY_TIMEOUT", "400ms")]);
    let head = |length: &str| {
        format!(
            "POST /echo HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n{length}\r\n\r\n"
        )
    };
    let mut slow = server.connect();
    slow.write_all(head("content-length: 14").as_bytes())
        .expect("sent");
    slow.write_all(b"{\"na").expect("sent");
    let answer = Answer::read_problem(slow);
    assert_eq!(answer.status, 408, "{}", answer.text);
    answer.is_a_problem("408");

    let server = Server::start(&[]);
    let mut endless = server.connect();
    endless
        .write_all(head("transfer-encoding: chunked").as_bytes())
        .expect("sent");
    let chunk = [b"1000\r\n".as_slice(), &[b' '; 0x1000], b"\r\n"].concat();
    let mut sent = 0;
    // It goes on as long as somebody takes it; 64 MB would, if nobody refused.
    while sent < 64 * 1024 * 1024 && endless.write_all(&chunk).is_ok() {
        sent += chunk.len();
        endless.set_nonblocking(true).expect("set");
        let answered = endless.peek(&mut [0]).is_ok();
        endless.set_nonblocking(false).expect("set");
        if answered {
            break;
        }
    }
    assert!(sent < 16 * 1024 * 1024, "{sent} bytes were taken");
    let answer = Answer::read_problem(endless);
    assert_eq!(answer.status, 413, "{}", answer.text);
    answer.is_a_problem("413");
}

#[test]
fn gives_a_route_its_own_time_and_a_body_a_time_apart() {
    let server = Server::start(&[("PALISADE_HANDLER_TIMEOUT", "2s")]);
    assert_eq!(server.get("/patient", &[]).status, 204);
    let mut slow = server.connect();
    slow.write_all(
        b"POST /echo HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 12\r\n\r\n{\"name\"",
    )
    .expect("sent");
    let begun = Instant::now();
    std::thread::sleep(Duration::from_millis(2_500));
    slow.write_all(b":\"a\"}").expect("sent");
    let answer = Answer::read(slow);
    assert_eq!(
        answer.status,
        200,
        "after {:?}: {}",
        begun.elapsed(),
        answer.text
    );
}

#[test]
fn turns_away_what_is_more_than_it_works_on() {
    let server = Server::start(&[
        ("PALISADE_LIMITS__CONCURRENCY", "1"),
        ("PALISADE_HANDLER_TIMEOUT", "30s"),
    ]);
    let hold = || {
        let mut held = server.connect();
        held.write_all(b"GET /slow HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n")
            .expect("sent");
        held.set_nonblocking(true).expect("set");
        held
    };
    let mut held = hold();
    let begun = Instant::now();
    let answer = loop {
        let answer = server.get("/livez", &[]);
        if answer.status == 503 {
            break answer;
        }
        // The question itself may have had the only turn when the slow request came.
        if held.peek(&mut [0]).is_ok() {
            held = hold();
        }
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "never turned away"
        );
    };
    answer.is_a_problem("503");
    assert_eq!(answer.header("retry-after"), Some("5"));
    // A client that goes away gives its turn back.
    drop(held);
    let begun = Instant::now();
    while server.get("/livez", &[]).status != 200 {
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "never let in again"
        );
    }
}

#[test]
fn takes_ids_from_declared_proxies_alone() {
    let open = Server::start(&[("PALISADE_TRUSTED_PROXIES", "127.0.0.1")]);
    let id = "edge-7f3a.2209";
    let answer = open.get("/nowhere", &[("x-request-id", id)]);
    assert_eq!(answer.header("x-request-id"), Some(id));
    assert_eq!(answer.json()["request_id"], id);
    let forged = open.get("/nowhere", &[("x-request-id", "a\"b,c{d}e")]);
    assert_eq!(forged.header("x-request-id").map(str::len), Some(32));
    let closed = Server::start(&[]);
    let answer = closed.get("/nowhere", &[("x-request-id", id)]);
    assert_eq!(answer.header("x-request-id").map(str::len), Some(32));
}

#[test]
fn slow_bodies_take_no_turn_from_others() {
    let server = Server::start(&[
        ("PALISADE_LIMITS__CONCURRENCY", "2"),
        ("PALISADE_LIMITS__BODY_TIMEOUT", "1m"),
    ]);
    let head = "POST /echo HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 12\r\n\r\n{\"name\"";
    let begin = || {
        let mut slow = server.connect();
        slow.write_all(head.as_bytes()).expect("sent");
        slow
    };
    let begun = Instant::now();
    let mut slow = vec![begin(), begin()];
    // Once both wait for their bodies a third is told to come back, and who sends none is served.
    let refused = loop {
        let third = begin();
        third
            .set_read_timeout(Some(Duration::from_millis(500)))
            .expect("set");
        if third.peek(&mut [0]).is_ok() {
            break Answer::read(third);
        }
        slow.push(third);
        assert!(begun.elapsed() < Duration::from_secs(20), "never refused");
    };
    assert_eq!(refused.status, 503, "{}", refused.text);
    refused.is_a_problem("a body too many");
    assert_eq!(server.get("/livez", &[]).status, 200);
    let mut first = slow.remove(0);
    first.write_all(b":\"a\"}").expect("sent");
    assert_eq!(
        Answer::read(first).status,
        200,
        "and it goes on when its body is there"
    );
}
