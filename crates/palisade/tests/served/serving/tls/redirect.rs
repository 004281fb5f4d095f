//! Plain HTTP where HTTPS is served: on the port for it, and on the port of HTTPS.

use super::{Files, authority, issue};
use crate::harness::Answer;
use crate::serving::server::{Server, assert_plain_problem, connect, logged, to_end};
use tokio::io::AsyncWriteExt as _;

async fn ask(port: u16, head: &str) -> String {
    let mut stream = connect(port).await;
    stream.write_all(head.as_bytes()).await.expect("sent");
    to_end(&mut stream).await
}

async fn serve(more: &[(&str, &str)]) -> Server {
    Files::new(&issue(&authority(), |_| {})).serve(more).await
}

#[tokio::test(flavor = "multi_thread")]
async fn sends_a_client_that_only_reads_to_https() {
    let server = serve(&[]).await;
    for port in [server.redirect_port, server.port] {
        for method in ["GET", "HEAD"] {
            for (host, path) in [
                ("localhost", "/mark?a=b"),
                ("localhost:80", "/"),
                ("LOCALHOST", "//evil.example/x"),
            ] {
                let said = ask(
                    port,
                    &format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\n\r\n"),
                )
                .await;
                assert!(said.starts_with("HTTP/1.1 308 "), "{said}");
                let name = host.split(':').next().expect("a name");
                let place = format!("location: https://{name}:{}{path}\r\n", server.port);
                assert!(said.contains(&place), "{said}");
                let answer = Answer::parse(said.as_bytes());
                answer.has_every_header_of_plain_http(&said);
                assert_eq!(answer.header("connection"), Some("close"));
                assert!(said.ends_with("\r\n\r\n"), "{said}");
            }
        }
    }
    assert_eq!(server.log.take(), Vec::<String>::new());
    let server = serve(&[("PALISADE_TLS__PUBLIC_PORT", "443")]).await;
    let said = ask(
        server.redirect_port,
        "GET /a HTTP/1.1\r\nhost: localhost\r\n\r\n",
    )
    .await;
    assert!(said.contains("location: https://localhost/a\r\n"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_everything_else_over_plain_http() {
    let server = serve(&[]).await;
    for (head, status) in [
        (
            "POST /take HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n\r\n{}",
            403,
        ),
        ("DELETE /take HTTP/1.1\r\nhost: localhost\r\n\r\n", 403),
        ("OPTIONS * HTTP/1.1\r\nhost: localhost\r\n\r\n", 403),
        ("GET /mark HTTP/1.1\r\nhost: evil.example\r\n\r\n", 421),
        (
            "GET http://evil.example/mark HTTP/1.1\r\nhost: localhost\r\n\r\n",
            421,
        ),
        (
            "GET http://localhost/mark HTTP/1.1\r\nhost: evil.example\r\n\r\n",
            421,
        ),
        ("GET * HTTP/1.1\r\nhost: localhost\r\n\r\n", 400),
        ("GET /mark#a HTTP/1.1\r\nhost: localhost\r\n\r\n", 400),
        ("GET /mark HTTP/1.1\r\n\r\n", 400),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    ] {
        for port in [server.redirect_port, server.port] {
            let refused = assert_plain_problem(&ask(port, head).await, status);
            assert_eq!(refused.header("connection"), Some("close"), "{head}");
        }
    }
    assert_eq!(server.log.take(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn tells_of_a_credential_that_came_in_plain_text() {
    let server = serve(&[]).await;
    let before = logged().matches("credential_in_plain_text").count();
    for credential in ["authorization: Bearer MARKED", "cookie: session=MARKED"] {
        let said = ask(
            server.redirect_port,
            &format!("GET /mark HTTP/1.1\r\nhost: localhost\r\n{credential}\r\n\r\n"),
        )
        .await;
        assert!(
            said.starts_with("HTTP/1.1 308 ") && !said.contains("MARKED"),
            "{said}"
        );
    }
    let told = || logged().matches("credential_in_plain_text").count();
    assert_eq!(told() - before, 2);
    assert!(!logged().contains("MARKED"));
}

#[tokio::test(flavor = "multi_thread")]
async fn says_nothing_of_https_to_what_is_no_request_there() {
    let server = serve(&[("PALISADE_SERVE__HEAD_TIMEOUT", "300ms")]).await;
    let large = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(20 * 1024));
    let long = format!("GET /{}", "y".repeat(20 * 1024));
    for port in [server.redirect_port, server.port] {
        for (head, status) in [
            ("GET  / HTTP/1.1\r\nhost: localhost\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nhost: loc", 408),
            (&large, 431),
            (&long, 414),
        ] {
            let refused = assert_plain_problem(&ask(port, head).await, status);
            assert_eq!(refused.header("connection"), Some("close"), "{status}");
        }
    }
    let full = serve(&[("PALISADE_SERVE__MAX_CONNECTIONS", "1")]).await;
    let mut kept = connect(full.redirect_port).await;
    kept.write_all(b"G").await.expect("sent");
    let refused = ask(full.redirect_port, "").await;
    assert_plain_problem(&refused, 503);
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_in_the_limit_of_its_client() {
    let server = serve(&[("PALISADE_LIMITS__CLIENT", "3/h")]).await;
    let good = "GET /mark HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let bad = "GET  /mark HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let port = server.redirect_port;
    assert!(ask(port, good).await.starts_with("HTTP/1.1 308 "));
    assert!(ask(port, bad).await.starts_with("HTTP/1.1 400 "));
    assert!(ask(server.port, good).await.starts_with("HTTP/1.1 308 "));
    for head in [good, bad] {
        let refused = assert_plain_problem(&ask(port, head).await, 429);
        let wait: u32 = refused
            .header("retry-after")
            .and_then(|seconds| seconds.parse().ok())
            .expect("seconds");
        assert!((1..=1201).contains(&wait), "{wait}");
        assert_eq!(refused.header("connection"), Some("close"));
    }
}
