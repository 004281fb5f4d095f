//! What the metrics say of requests that do not end as they should.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use crate::harness::Server;

/// A port below those that the system gives to outgoing connections.
fn free_port() -> u16 {
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    let first = 30_000 + u16::try_from(std::process::id() % 2_000).unwrap_or_default();
    // Another test of this process may have been given one that it has not opened yet.
    std::iter::repeat_with(|| first + GIVEN.fetch_add(1, Ordering::Relaxed))
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a port")
}

fn value(port: u16, series: &str) -> u64 {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    let request = "GET /metrics HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).expect("sent");
    let mut page = String::new();
    stream.read_to_string(&mut page).expect("a page");
    let line = page
        .lines()
        .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    // What met no route has no series before it came.
    line.map_or(0, |value| value.parse().expect("a number"))
}

fn until(what: &str, reached: impl Fn() -> bool) {
    let begun = Instant::now();
    while !reached() {
        assert!(begun.elapsed() < Duration::from_secs(60), "never: {what}");
        std::thread::sleep(Duration::from_millis(150));
    }
}

#[test]
fn counts_what_is_under_way_left_shed_and_crashed() {
    let port = free_port();
    let listen = format!("127.0.0.1:{port}");
    let server = Server::start(&[
        ("PALISADE_METRICS__LISTEN", listen.as_str()),
        ("PALISADE_LIMITS__CONCURRENCY", "2"),
        ("PALISADE_HANDLER_TIMEOUT", "5m"),
    ]);
    let counted = |series: &str| value(port, series);
    let crashed = r#"palisade_requests_total{method="GET",route="/panic",class="5xx"}"#;
    assert_eq!(server.get("/panic", &[]).status, 500);
    assert_eq!(counted(crashed), 1);
    let internal = r#"palisade_refusals_total{status="500",reason="internal"}"#;
    assert_eq!(counted(internal), 1);
    assert!(counted(r#"palisade_events_total{event="sys_crash"}"#) >= 1);

    let request = b"GET /slow HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n";
    let slow: Vec<TcpStream> = (0..2)
        .map(|_| {
            let mut stream = server.connect();
            stream.write_all(request).expect("sent");
            stream
        })
        .collect();
    until("two under way", || {
        counted("palisade_requests_in_flight") == 2
    });
    assert_eq!(counted("palisade_requests_in_flight_max"), 2);
    assert_eq!(server.get("/livez", &[]).status, 503);
    assert!(counted("palisade_requests_shed_total") >= 1);
    let shed = r#"palisade_requests_total{method="GET",route="(none)",class="5xx"}"#;
    assert_eq!(counted(shed), 1);
    let unavailable = r#"palisade_refusals_total{status="503",reason="unavailable"}"#;
    assert_eq!(counted(unavailable), 1);

    drop(slow);
    let left = r#"palisade_requests_total{method="GET",route="/slow",class="4xx"}"#;
    until("both left", || counted(left) == 2);
    assert_eq!(counted("palisade_requests_in_flight"), 0);
    assert_eq!(server.get("/livez", &[]).status, 200);
}

#[test]
fn tells_once_of_a_client_that_guesses_and_counts_who_comes_without_a_credential() {
    let port = free_port();
    let listen = format!("127.0.0.1:{port}");
    let server = Server::start(&[("PALISADE_METRICS__LISTEN", listen.as_str())]);
    let told = || {
        value(
            port,
            r#"palisade_events_total{event="malicious_excess_404"}"#,
        )
    };
    let before = told();
    // No other test asks so often for what is not there.
    for number in 0..30 {
        assert_eq!(server.get(&format!("/guess-{number}"), &[]).status, 404);
    }
    assert_eq!(told(), before);
    let token = format!("Bearer {}", server.account("ann@example.com"));
    let nothing = "/things/00000000-0000-7000-8000-000000000000";
    for _ in 0..10 {
        let answer = server.get(nothing, &[("authorization", &token)]);
        assert_eq!(answer.status, 404, "{}", answer.text);
    }
    assert_eq!(told(), before + 1);

    let missing = r#"palisade_events_total{event="authn_credential_missing"}"#;
    let refused = r#"palisade_events_total{event="authn_token_refused"}"#;
    let (before, refused_before) = (value(port, missing), value(port, refused));
    assert_eq!(server.get("/auth/me", &[]).status, 401);
    assert!(value(port, missing) > before);
    let basic = [("authorization", "Basic YTpi")];
    assert_eq!(server.get("/auth/me", &basic).status, 401);
    assert!(value(port, refused) > refused_before);
}
