//! Clients that take their time.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::server::{LONG, Server, answer, assert_problem, connect, to_end};

// Each test makes short what it waits for alone: a busy machine is slow too.
const SHORT_HEAD: &[(&str, &str)] = &[("PALISADE_SERVE__HEAD_TIMEOUT", "300ms")];

#[tokio::test(flavor = "multi_thread")]
async fn drops_a_silent_socket_without_a_word() {
    let server = Server::start(&[("PALISADE_SERVE__FIRST_BYTE_TIMEOUT", "300ms")]).await;
    assert_eq!(to_end(&mut server.connect().await).await, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_408_to_half_a_head_and_to_a_head_that_drips() {
    let server = Server::start(SHORT_HEAD).await;
    assert_problem(&server.raw(b"GET /mark HTTP/1.1\r\nhost: loc").await, 408);
    assert_problem(&server.raw(b"G").await, 408);

    let mut stream = server.connect().await;
    let dripping = async {
        for byte in b"GET /mark HTTP/1.1\r\nhost: localhost\r\nx: "
            .iter()
            .cycle()
        {
            if stream.write_all(&[*byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(LONG, dripping)
        .await
        .expect("it is cut off though bytes keep coming");
    assert_eq!(server.log.take(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn closes_a_kept_connection_that_is_idle_and_times_its_next_head() {
    let server = Server::start(&[
        ("PALISADE_SERVE__HEAD_TIMEOUT", "3s"),
        ("PALISADE_SERVE__IDLE_TIMEOUT", "3s"),
    ])
    .await;
    let mut stream = server.connect().await;
    let request = b"GET /mark HTTP/1.1\r\nhost: localhost\r\n\r\n";
    for _ in 0..3 {
        stream.write_all(request).await.expect("sent");
        assert!(answer(&mut stream).await.starts_with("HTTP/1.1 200 "));
    }
    assert_eq!(to_end(&mut stream).await, "");

    let mut stream = server.connect().await;
    stream.write_all(request).await.expect("sent");
    assert!(answer(&mut stream).await.starts_with("HTTP/1.1 200 "));
    stream.write_all(&request[..20]).await.expect("sent");
    assert_problem(&to_end(&mut stream).await, 408);
}

#[tokio::test(flavor = "multi_thread")]
async fn lets_a_handler_take_longer_than_a_head_may() {
    let server = Server::start(SHORT_HEAD).await;
    assert!(server.get("/wait").await.contains("waited"));
}

#[tokio::test(flavor = "multi_thread")]
async fn drops_a_client_that_does_not_take_its_answer() {
    let server = Server::start(&[
        ("PALISADE_SERVE__WRITE_TIMEOUT", "300ms"),
        ("PALISADE_SERVE__MAX_CONNECTIONS", "1"),
    ])
    .await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET /large HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .expect("sent");
    // Its place is free again, though it reads nothing and does not leave.
    let free = async {
        while !server.get("/mark").await.contains("marked") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LONG, free)
        .await
        .expect("it is dropped");
    drop(stream);
}

#[tokio::test(flavor = "multi_thread")]
async fn lets_a_large_answer_take_its_time_while_it_is_taken() {
    let server = Server::start(&[
        ("PALISADE_SERVE__IDLE_TIMEOUT", "2s"),
        ("PALISADE_SERVE__WRITE_TIMEOUT", "2s"),
    ])
    .await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET /large HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        .await
        .expect("sent");
    let begun = std::time::Instant::now();
    let (mut piece, mut bytes) = (vec![0; 256 * 1024], 0);
    loop {
        match stream.read(&mut piece).await.expect("not cut off") {
            0 => break,
            read => bytes += read,
        }
        if begun.elapsed() < Duration::from_secs(5) {
            tokio::time::sleep(Duration::from_millis(80)).await;
        }
    }
    assert!(bytes > 16 * 1024 * 1024 && begun.elapsed() > Duration::from_secs(4));
}

#[tokio::test(flavor = "multi_thread")]
async fn serves_a_normal_client_beside_300_slow_ones() {
    let server = Server::start(&[
        ("PALISADE_SERVE__MAX_CONNECTIONS_PER_ADDRESS", "1000"),
        ("PALISADE_SERVE__HEAD_TIMEOUT", "3s"),
        ("PALISADE_SERVE__FIRST_BYTE_TIMEOUT", "3s"),
        ("PALISADE_LIMITS__BODY_TIMEOUT", "3s"),
    ])
    .await;
    let mut slow = Vec::new();
    for number in 0..300 {
        let mut stream = connect(server.port).await;
        let begun: &[u8] = match number % 3 {
            0 => b"",
            1 => b"POST /take HTTP/1.1\r\nhost: localhost\r\n",
            _ => b"POST /take HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 12\r\n\r\n{",
        };
        stream.write_all(begun).await.expect("sent");
        slow.push(stream);
    }
    for _ in 0..50 {
        assert!(server.get("/mark").await.contains("marked"));
    }
    // And none of them stays: half heads are answered, silence is not, a body ends with the time of bodies.
    for (number, mut stream) in slow.into_iter().enumerate() {
        let said = to_end(&mut stream).await;
        match number % 3 {
            0 => assert_eq!(said, "", "{number}"),
            _ => drop(assert_problem(&said, 408)),
        }
    }
    let reached = server.log.take();
    assert_eq!(
        reached,
        vec!["mark"; 50],
        "no half request reached a handler"
    );
}
