//! How many connections there may be, and how they end with the service.

use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::server::{LONG, Server, answer, assert_problem, to_end};

const MARK: &[u8] = b"GET /mark HTTP/1.1\r\nhost: localhost\r\n\r\n";

async fn kept(server: &Server) -> TcpStream {
    let mut stream = server.connect().await;
    stream.write_all(MARK).await.expect("sent");
    assert!(answer(&mut stream).await.contains("marked"));
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn turns_away_whoever_comes_above_the_cap_and_takes_him_when_there_is_room() {
    for cap in [
        "PALISADE_SERVE__MAX_CONNECTIONS",
        "PALISADE_SERVE__MAX_CONNECTIONS_PER_ADDRESS",
    ] {
        let server = Server::start(&[(cap, "2")]).await;
        let (first, second) = (kept(&server).await, kept(&server).await);
        let refused = server.get("/mark").await;
        assert_problem(&refused, 503);
        assert!(refused.contains("retry-after: "), "{refused}");
        server.log.take();
        drop(first);
        let room = async {
            while !server.get("/mark").await.contains("marked") {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(LONG, room)
            .await
            .expect("there is room");
        drop(second);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_a_silent_connection_like_any_other() {
    let server = Server::start(&[("PALISADE_SERVE__MAX_CONNECTIONS_PER_ADDRESS", "2")]).await;
    let _silent = (server.connect().await, server.connect().await);
    assert_problem(&server.get("/mark").await, 503);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declared_proxy_has_no_limit_of_its_own() {
    let server = Server::start(&[
        ("PALISADE_SERVE__MAX_CONNECTIONS_PER_ADDRESS", "1"),
        ("PALISADE_TRUSTED_PROXIES", "127.0.0.1"),
    ])
    .await;
    let _kept = (
        kept(&server).await,
        kept(&server).await,
        kept(&server).await,
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_a_connection_for_many_requests_and_closes_it_when_asked() {
    let server = Server::start(&[]).await;
    let mut stream = kept(&server).await;
    for _ in 0..100 {
        stream.write_all(MARK).await.expect("sent");
        assert!(answer(&mut stream).await.contains("marked"));
    }
    stream
        .write_all(b"GET /mark HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        .await
        .expect("sent");
    assert!(to_end(&mut stream).await.contains("marked"));
}

#[tokio::test(flavor = "multi_thread")]
async fn serves_a_pipeline_in_its_order() {
    let server = Server::start(&[]).await;
    let mut stream = server.connect().await;
    let mut all = Vec::new();
    for number in 0..40 {
        let body = format!(r#"{{"name":"n{number}"}}"#);
        all.extend_from_slice(
            format!(
                "POST /take HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            )
            .as_bytes(),
        );
    }
    all.extend_from_slice(b"GET /mark HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    let (mut reader, mut writer) = stream.split();
    let (said, sent) = tokio::join!(to_end(&mut reader), writer.write_all(&all));
    sent.expect("sent");
    let expected: Vec<String> = (0..40).map(|number| format!("take n{number}")).collect();
    assert_eq!(server.log.take()[..40], expected);
    let words: Vec<&str> = said.matches("{\"word\":").collect();
    assert_eq!(words.len(), 41, "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ends_a_handler_whose_client_has_left() {
    let server = Server::start(&[("PALISADE_SERVE__MAX_CONNECTIONS", "1")]).await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET /forever HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .expect("sent");
    server.reached("forever").await;
    drop(stream);
    let room = async {
        while !server.get("/mark").await.contains("marked") {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(8), room)
        .await
        .expect("its place is free long before the handler's time is over");
}

#[tokio::test(flavor = "multi_thread")]
async fn lets_what_is_under_way_end_and_closes_what_is_idle() {
    let mut server = Server::start(&[("PALISADE_SERVE__DRAIN_TIMEOUT", "30s")]).await;
    let mut idle = kept(&server).await;
    let mut silent = server.connect().await;
    let mut busy = server.connect().await;
    busy.write_all(b"GET /wait HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .expect("sent");
    server.reached("wait").await;
    server.stop();
    assert_eq!(to_end(&mut idle).await, "");
    assert_eq!(to_end(&mut silent).await, "");
    let last = to_end(&mut busy).await;
    assert!(
        last.contains("waited") && last.contains("connection: close"),
        "{last}"
    );
    let port = server.port;
    server.stopped().await;
    assert!(TcpStream::connect(("127.0.0.1", port)).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn cuts_off_what_does_not_end_in_time() {
    let server = Server::start(&[
        ("PALISADE_SERVE__DRAIN_TIMEOUT", "300ms"),
        ("PALISADE_HANDLER_TIMEOUT", "5m"),
    ])
    .await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET /forever HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .expect("sent");
    server.reached("forever").await;
    server.stopped().await;
    assert_eq!(to_end(&mut stream).await, "");
}
