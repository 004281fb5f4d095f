//! Balancers that say for whom they speak, and those that may not.

use tokio::io::AsyncWriteExt as _;

use super::server::{Server, assert_problem, to_end};

const GET: &[u8] = b"GET /address HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
const BALANCER: &[(&str, &str)] = &[("PALISADE_SERVE__PROXY_PROTOCOL", "127.0.0.0/8")];

fn binary(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rest.len()).expect("short").to_be_bytes();
    [
        &b"\r\n\r\n\0\r\nQUIT\n"[..],
        &[command, family],
        &length,
        rest,
    ]
    .concat()
}

async fn through(server: &Server, header: &[u8]) -> String {
    server.raw(&[header, GET].concat()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn believes_a_declared_balancer() {
    let server = Server::probe(BALANCER).await;
    let addresses = [192, 0, 2, 7, 10, 0, 0, 1, 0x1f, 0x90, 0, 80];
    let mut six = [0; 36];
    six[..4].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]);
    six[15] = 8;
    let with_more = [&addresses[..], &[0xea, 0, 3, b'a', b'w', b's']].concat();
    for (header, address) in [
        (
            b"PROXY TCP4 192.0.2.7 10.0.0.1 8080 80\r\n".to_vec(),
            "192.0.2.7",
        ),
        (
            b"PROXY TCP6 2001:db8::8 ::1 8080 80\r\n".to_vec(),
            "2001:db8::8",
        ),
        (b"PROXY UNKNOWN\r\n".to_vec(), "127.0.0.1"),
        (binary(0x21, 0x11, &addresses), "192.0.2.7"),
        (binary(0x21, 0x11, &with_more), "192.0.2.7"),
        (binary(0x21, 0x21, &six), "2001:db8::8"),
        (binary(0x20, 0x00, &[]), "127.0.0.1"),
    ] {
        let said = through(&server, &header).await;
        assert!(
            said.contains(&format!("\r\n\r\naddress {address} ")),
            "{said}"
        );
        // Byte by byte too.
        let mut stream = server.connect().await;
        for byte in [header.as_slice(), GET].concat() {
            stream.write_all(&[byte]).await.expect("sent");
        }
        let said = to_end(&mut stream).await;
        assert!(
            said.contains(&format!("\r\n\r\naddress {address} ")),
            "{said}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wants_the_header_from_a_declared_balancer() {
    let short = [
        ("PALISADE_SERVE__FIRST_BYTE_TIMEOUT", "300ms"),
        ("PALISADE_SERVE__HEAD_TIMEOUT", "300ms"),
    ];
    let server = Server::start(&[BALANCER, &short].concat()).await;
    for bytes in [
        b"".to_vec(),
        b"PROXY TCP4 192.0.2.7 10.0.0.1 80".to_vec(),
        b"PROXY TCP4 192.0.2.7 10.0.0.1 +1 80\r\n".to_vec(),
        [&b"PROXY TCP4 "[..], &[b'1'; 200]].concat(),
        binary(0x21, 0x11, &[1, 2, 3]),
        binary(0x21, 0x11, &[0; 60_000]),
        binary(0x31, 0x11, &[0; 12]),
    ] {
        // The request behind it is not read: what is not told is not guessed.
        assert_eq!(
            through(&server, &bytes).await,
            "",
            "{}",
            bytes.escape_ascii()
        );
        // Nor is the connection kept while more could come.
        assert_eq!(server.raw(&bytes).await, "", "{}", bytes.escape_ascii());
    }
    let half = &binary(0x21, 0x11, &[0; 12])[..20];
    assert_eq!(server.raw(half).await, "");
    assert_eq!(server.log.take(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_the_header_from_anybody_else() {
    for settings in [
        &[][..],
        &[("PALISADE_SERVE__PROXY_PROTOCOL", "192.0.2.0/24")],
    ] {
        let server = Server::start(settings).await;
        for header in [
            b"PROXY TCP4 192.0.2.7 10.0.0.1 8080 80\r\n".to_vec(),
            binary(0x21, 0x11, &[192, 0, 2, 7, 10, 0, 0, 1, 0x1f, 0x90, 0, 80]),
        ] {
            assert_problem(&through(&server, &header).await, 400);
        }
        assert_eq!(server.log.take(), Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_connections_by_the_address_that_was_told() {
    let server = Server::probe(&[
        BALANCER[0],
        ("PALISADE_SERVE__MAX_CONNECTIONS_PER_ADDRESS", "1"),
    ])
    .await;
    let header = b"PROXY TCP4 192.0.2.7 10.0.0.1 8080 80\r\n";
    let mut first = server.connect().await;
    first
        .write_all(
            &[
                header,
                &b"GET /address HTTP/1.1\r\nhost: localhost\r\n\r\n"[..],
            ]
            .concat(),
        )
        .await
        .expect("sent");
    assert!(
        super::server::answer(&mut first)
            .await
            .contains("192.0.2.7")
    );
    assert_problem(&through(&server, header).await, 503);
    let other = through(&server, b"PROXY TCP4 192.0.2.8 10.0.0.1 8080 80\r\n").await;
    assert!(other.contains("192.0.2.8"), "{other}");
}
