//! What a declared proxy says came to it over plain HTTP.

use super::server::{Server, assert_plain_problem, logged};
use crate::harness::Answer;

const PRODUCTION: &[(&str, &str)] = &[
    ("PALISADE_ENV", "production"),
    ("PALISADE_ALLOWED_HOSTS", "api.example.org"),
    ("PALISADE_TRUSTED_PROXIES", "127.0.0.1"),
];

async fn ask(server: &Server, line: &str, headers: &str) -> String {
    let head = format!("{line} HTTP/1.1\r\nconnection: close\r\n{headers}\r\n");
    server.raw(head.as_bytes()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn is_sent_to_https_when_it_only_reads() {
    let server = Server::probe(PRODUCTION).await;
    for said in [
        "x-forwarded-proto: http\r\n",
        "x-forwarded-for: 192.0.2.1\r\nx-forwarded-proto: http\r\n",
    ] {
        for (host, place) in [
            ("api.example.org", "https://api.example.org/address?a=b"),
            ("api.example.org:80", "https://api.example.org/address?a=b"),
        ] {
            for method in ["GET", "HEAD"] {
                let line = format!("{method} /address?a=b");
                let answer = ask(&server, &line, &format!("host: {host}\r\n{said}")).await;
                let answer = Answer::parse(answer.as_bytes());
                assert_eq!(
                    (answer.status, answer.header("location")),
                    (308, Some(place))
                );
                answer.has_every_header_of_plain_http(said);
            }
        }
    }
    // The other header is the client's own word.
    let forged = "host: api.example.org\r\nforwarded: for=192.0.2.1;proto=http\r\n";
    let answer = ask(&server, "GET /address", forged).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let by_forwarded = [PRODUCTION, &[("PALISADE_PROXY_HEADER", "forwarded")]].concat();
    let server = Server::probe(&by_forwarded).await;
    let answer = ask(&server, "GET /address", forged).await;
    assert!(answer.starts_with("HTTP/1.1 308 "), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn is_refused_otherwise_and_tells_of_a_credential() {
    let server = Server::probe(PRODUCTION).await;
    let plain = "host: api.example.org\r\nx-forwarded-proto: http\r\n";
    assert_plain_problem(&ask(&server, "POST /address", plain).await, 403);
    let other = "host: evil.example\r\nx-forwarded-proto: http\r\n";
    assert_plain_problem(&ask(&server, "GET /address", other).await, 421);
    // Each test's client has an address of its own in the one log of this process.
    let client = "198.51.100.44";
    let credential = format!("{plain}x-forwarded-for: {client}\r\ncookie: session=MARKED\r\n");
    let answer = ask(&server, "GET /address", &credential).await;
    assert!(answer.starts_with("HTTP/1.1 308 "), "{answer}");
    let told = logged();
    assert!(
        told.lines()
            .any(|line| line.contains("credential_in_plain_text")),
        "{told}"
    );
    assert!(!told.contains("MARKED"));
}

#[tokio::test(flavor = "multi_thread")]
async fn passes_where_nobody_declared_says_so() {
    let host = "host: api.example.org\r\n";
    let http = "host: api.example.org\r\nx-forwarded-proto: http\r\n";
    let server = Server::probe(PRODUCTION).await;
    for headers in [
        host.to_owned(),
        format!("{host}x-forwarded-proto: https\r\n"),
        format!("{host}x-forwarded-for: 192.0.2.1\r\n"),
    ] {
        let answer = ask(&server, "GET /address", &headers).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{headers}: {answer}");
    }
    // A proxy of another machine is nobody, and development has no HTTPS to send to.
    for (name, value) in [
        ("PALISADE_TRUSTED_PROXIES", "192.0.2.0/24"),
        ("PALISADE_ENV", "development"),
    ] {
        let changed = [PRODUCTION, &[(name, value)]].concat();
        let server = Server::probe(&changed).await;
        let answer = ask(&server, "GET /address", http).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{name}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tells_the_client_behind_a_count_of_proxies() {
    let counted = [PRODUCTION, &[("PALISADE_TRUSTED_PROXIES", "2")]].concat();
    let server = Server::probe(&counted).await;
    for (entries, address) in [
        ("192.0.2.1, 203.0.113.7", "192.0.2.1"),
        ("6.6.6.6, 192.0.2.1, 203.0.113.7", "192.0.2.1"),
        ("6.6.6.6", "127.0.0.1"),
    ] {
        let headers = format!(
            "host: api.example.org\r\nx-forwarded-for: {entries}\r\nx-forwarded-proto: https\r\n"
        );
        let answer = ask(&server, "GET /address", &headers).await;
        let expected = format!("\r\n\r\naddress {address} secure true ");
        assert!(answer.contains(&expected), "{entries}: {answer}");
    }
}
