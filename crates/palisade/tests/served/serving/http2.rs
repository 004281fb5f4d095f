//! HTTP/2 by a real client, and by frames that no client sends.

use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::server::{LONG, Server, to_end};
use crate::harness::Answer;

type Body = Full<bytes::Bytes>;

struct Client {
    send: SendRequest<Body>,
    connection: JoinHandle<hyper::Result<()>>,
}

async fn client(server: &Server) -> Client {
    let stream = TokioIo::new(server.connect().await);
    let (send, connection) = handshake(TokioExecutor::new(), stream)
        .await
        .expect("it speaks HTTP/2");
    Client {
        send,
        connection: tokio::spawn(connection),
    }
}

fn request(path: &str) -> http::Request<Body> {
    http::Request::get(format!("http://localhost{path}"))
        .body(Body::default())
        .expect("a request")
}

impl Client {
    async fn get(&mut self, path: &str) -> (http::response::Parts, String) {
        self.send(request(path)).await.expect("an answer")
    }

    async fn send(
        &mut self,
        request: http::Request<Body>,
    ) -> hyper::Result<(http::response::Parts, String)> {
        let answer = timeout(LONG, self.send.send_request(request)).await;
        let (parts, body) = answer.expect("in time")?.into_parts();
        let bytes = timeout(LONG, body.collect())
            .await
            .expect("in time")?
            .to_bytes();
        Ok((parts, String::from_utf8_lossy(&bytes).into_owned()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_many_requests_at_once() {
    let server = Server::start(&[]).await;
    let client = client(&server).await;
    let calls = (0..200).map(|number| {
        let mut send = client.send.clone();
        let body = format!(r#"{{"name":"n{number}"}}"#);
        let request = http::Request::post("http://localhost/take")
            .header("content-type", "application/json")
            .body(Body::from(body))
            .expect("a request");
        tokio::spawn(async move {
            send.ready().await.expect("open");
            let answer = send.send_request(request).await.expect("an answer");
            assert_eq!(answer.status(), 200);
            let bytes = answer
                .into_body()
                .collect()
                .await
                .expect("whole")
                .to_bytes();
            assert_eq!(bytes, format!(r#"{{"word":"n{number}"}}"#));
        })
    });
    for call in calls.collect::<Vec<_>>() {
        timeout(LONG, call)
            .await
            .expect("in time")
            .expect("no panic");
    }
    assert_eq!(server.log.take().len(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_as_over_http1() {
    let server = Server::start(&[]).await;
    let mut client = client(&server).await;
    let many = (0..70).fold(
        http::Request::get("http://localhost/mark"),
        |request, number| request.header(format!("x-{number}"), "1"),
    );
    let large = http::Request::get("http://localhost/mark").header("x", "y".repeat(20 * 1024));
    for (request, status) in [
        (request("/nothing"), 404),
        (large.body(Body::default()).expect("a request"), 431),
        (many.body(Body::default()).expect("a request"), 431),
    ] {
        let (parts, body) = client.send(request).await.expect("an answer");
        let answer = answer(&parts, body);
        assert_eq!(answer.status, status);
        answer.is_a_problem("over HTTP/2");
    }
    assert_eq!(server.log.take(), Vec::<String>::new());
    let (parts, body) = client.get("/mark").await;
    let answer = answer(&parts, body);
    assert_eq!(answer.status, 200);
    answer.has_every_header("over HTTP/2");
    server.log.take();
    // What is larger still the library refuses: by a status alone, or by the end of the stream.
    let larger = http::Request::get("http://localhost/mark").header("x", "y".repeat(60 * 1024));
    let refused = client
        .send(larger.body(Body::default()).expect("a request"))
        .await;
    assert!(
        refused
            .as_ref()
            .map_or(true, |(parts, _)| parts.status == 431),
        "{refused:?}"
    );
    assert_eq!(server.log.take(), Vec::<String>::new());
}

fn answer(parts: &http::response::Parts, text: String) -> Answer {
    let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        let value = value.to_str().expect("text").to_owned();
        (name.as_str().to_owned(), value)
    };
    Answer {
        status: parts.status.as_u16(),
        headers: parts.headers.iter().map(header).collect(),
        text,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn says_goodbye_when_the_service_stops_and_ends_what_is_under_way() {
    let mut server = Server::start(&[("PALISADE_SERVE__DRAIN_TIMEOUT", "30s")]).await;
    let mut stream = open(&server).await;
    let path = b"\x82\x86\x04\x05/wait\x41\x09localhost";
    stream
        .write_all(&frame(1, 0x05, 1, path))
        .await
        .expect("sent");
    server.reached("wait").await;
    server.stop();
    let all = frames(&mut stream).await;
    let told = |kind: u8, stream: u32| {
        let is = move |(own, of, _): &&(u8, u32, Vec<u8>)| (*own, *of) == (kind, stream);
        all.iter()
            .filter(is)
            .map(|(_, _, payload)| payload.as_slice())
    };
    // First that it goes (no stream is the last one yet), then which request was the last; both without an error.
    let goodbyes: Vec<&[u8]> = told(7, 0).collect();
    assert_eq!(
        goodbyes,
        [
            &[0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0],
            &[0, 0, 0, 1, 0, 0, 0, 0]
        ],
        "{all:?}"
    );
    let body: Vec<u8> = told(0, 1).flatten().copied().collect();
    assert_eq!(body, br#"{"word":"waited"}"#, "it may end");
    assert_eq!(server.log.take(), Vec::<String>::new());
    server.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn takes_no_request_after_its_goodbye() {
    let mut server = Server::start(&[("PALISADE_SERVE__DRAIN_TIMEOUT", "30s")]).await;
    let mut client = client(&server).await;
    let mut second = client.send.clone();
    let waiting = tokio::spawn(async move { second.send_request(request("/wait")).await });
    server.reached("wait").await;
    server.stop();
    let answer = timeout(LONG, waiting)
        .await
        .expect("in time")
        .expect("no panic");
    assert_eq!(answer.expect("it may end").status(), 200);
    let ended = timeout(LONG, client.connection)
        .await
        .expect("it is closed");
    ended.expect("no panic").expect("in order");
    assert!(client.send.send_request(request("/mark")).await.is_err());
    server.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn closes_a_connection_that_is_idle_or_never_asks() {
    let server = Server::start(&[
        ("PALISADE_SERVE__HEAD_TIMEOUT", "2s"),
        ("PALISADE_SERVE__IDLE_TIMEOUT", "2s"),
    ])
    .await;
    let never = client(&server).await;
    let _ = timeout(LONG, never.connection).await.expect("it is closed");
    let mut idle = client(&server).await;
    assert_eq!(idle.get("/mark").await.0.status, 200);
    let _ = timeout(LONG, idle.connection).await.expect("it is closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_a_connection_longer_than_a_head_may_take() {
    let server = Server::start(&[("PALISADE_SERVE__HEAD_TIMEOUT", "1s")]).await;
    let mut client = client(&server).await;
    for _ in 0..2 {
        assert_eq!(client.get("/mark").await.0.status, 200);
        tokio::time::sleep(Duration::from_millis(2500)).await;
    }
    assert_eq!(client.get("/mark").await.0.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn lets_a_large_answer_take_its_time_while_it_is_taken() {
    let server = Server::start(&[
        ("PALISADE_SERVE__HEAD_TIMEOUT", "2s"),
        ("PALISADE_SERVE__IDLE_TIMEOUT", "2s"),
        ("PALISADE_SERVE__WRITE_TIMEOUT", "2s"),
    ])
    .await;
    let mut client = client(&server).await;
    let answer = client.send.send_request(request("/large")).await;
    let mut body = answer.expect("an answer").into_body();
    let begun = std::time::Instant::now();
    let mut bytes = 0;
    while let Some(frame) = body.frame().await {
        let data = frame.expect("not cut off").into_data().unwrap_or_default();
        bytes += data.len();
        if begun.elapsed() < Duration::from_secs(6) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    assert!(bytes > 16 * 1024 * 1024 && begun.elapsed() > Duration::from_secs(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn drops_a_client_that_opens_no_window_for_its_answer() {
    let server = Server::start(&[
        ("PALISADE_SERVE__HEAD_TIMEOUT", "300ms"),
        ("PALISADE_SERVE__IDLE_TIMEOUT", "300ms"),
    ])
    .await;
    let mut stream = server.connect().await;
    // SETTINGS_INITIAL_WINDOW_SIZE: 0
    let settings = frame(4, 0, 0, &[0, 4, 0, 0, 0, 0]);
    let path = b"\x82\x86\x04\x06/large\x41\x09localhost";
    let ask = [PREFACE, &settings, &frame(1, 0x05, 1, path)].concat();
    stream.write_all(&ask).await.expect("sent");
    // It pings, so that it looks alive.
    let (mut reader, mut writer) = stream.into_split();
    let pinging = tokio::spawn(async move {
        while writer.write_all(&frame(6, 0, 0, &[0; 8])).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    to_end(&mut reader).await;
    timeout(LONG, pinging)
        .await
        .expect("closed")
        .expect("no panic");
}

#[tokio::test(flavor = "multi_thread")]
async fn drops_a_client_that_asks_on_and_takes_nothing() {
    let server = Server::start(&[("PALISADE_SERVE__WRITE_TIMEOUT", "500ms")]).await;
    let stream = server.connect().await;
    let (mut reader, mut writer) = stream.into_split();
    let settings = frame(4, 0, 0, &[0, 4, 0, 0, 0, 0]);
    let path = b"\x82\x86\x04\x06/large\x41\x09localhost";
    let asking = tokio::spawn(async move {
        let begun = [PREFACE, &settings].concat();
        writer.write_all(&begun).await.expect("sent");
        // New requests and answered pings: everything but room for an answer.
        for number in 0..30_u32 {
            let mut bytes = frame(1, 0x05, 2 * number + 1, path);
            for _ in 0..100 {
                bytes.extend(frame(6, 0, 0, &[0; 8]));
            }
            if writer.write_all(&bytes).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        panic!("it was still served after six seconds");
    });
    to_end(&mut reader).await;
    timeout(LONG, asking)
        .await
        .expect("closed")
        .expect("closed while it asked");
}

/// How much memory this process holds, in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.expect("a number") * 1024
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn makes_few_answers_for_a_client_that_takes_none() {
    const CALLS: usize = 8;
    let server = Server::start(&[("PALISADE_SERVE__WRITE_TIMEOUT", "5m")]).await;
    let client = client(&server).await;
    let (take, taking) = tokio::sync::watch::channel(false);
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..CALLS {
        let (mut send, mut taking) = (client.send.clone(), taking.clone());
        calls.spawn(async move {
            let answer = send.send_request(request("/large")).await;
            let mut body = answer.expect("an answer").into_body();
            taking
                .wait_for(|take| *take)
                .await
                .expect("the test goes on");
            let mut bytes = 0;
            while let Some(frame) = body.frame().await {
                bytes += frame
                    .expect("whole")
                    .into_data()
                    .map_or(0, |data| data.len());
            }
            bytes
        });
    }
    let larges = || {
        server
            .log
            .take()
            .iter()
            .filter(|what| *what == "large")
            .count()
    };
    let mut made = 0;
    let making = async {
        while made == 0 {
            made += larges();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(LONG, making).await.expect("in time");
    // Another connection is served meanwhile, and what would come had time to.
    for _ in 0..20 {
        assert_eq!(client_of_another(&server).await, 200);
        made += larges();
    }
    println!(
        "{made} of {CALLS} answers made, {} MiB resident",
        resident() >> 20
    );
    // One for each thread that makes them, and one that the first let in.
    assert!(made <= CALLS / 2, "{made} answers were made");
    // What is taken makes room for the rest.
    take.send(true).expect("they wait");
    while let Some(call) = timeout(LONG, calls.join_next()).await.expect("in time") {
        assert!(call.expect("no panic") > 16 * 1024 * 1024);
    }
    assert_eq!(made + larges(), CALLS);
}

async fn client_of_another(server: &Server) -> u16 {
    client(server).await.get("/mark").await.0.status.as_u16()
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// An empty SETTINGS frame.
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// `GET /forever` to `localhost`, in HPACK.
fn head() -> Vec<u8> {
    let path = b"\x04\x08/forever";
    [&b"\x82\x86"[..], path, b"\x41\x09localhost"].concat()
}

async fn open(server: &Server) -> TcpStream {
    let mut stream = server.connect().await;
    stream
        .write_all(&[PREFACE, SETTINGS].concat())
        .await
        .expect("sent");
    stream
}

/// The frames that come until the server closes: kind, stream, payload. Its pings are answered, as any client does.
async fn frames(stream: &mut TcpStream) -> Vec<(u8, u32, Vec<u8>)> {
    let mut frames = Vec::new();
    let reading = async {
        let mut head = [0; 9];
        // A connection that breaks off is closed too.
        while stream.read_exact(&mut head).await.is_ok() {
            let [a, b, c, kind, flags, id @ ..] = head;
            let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
            if stream.read_exact(&mut payload).await.is_err() {
                break;
            }
            if (kind, flags) == (6, 0) {
                let _ = stream.write_all(&frame(6, 1, 0, &payload)).await;
            }
            frames.push((kind, u32::from_be_bytes(id), payload));
        }
    };
    let closed = timeout(LONG, reading).await;
    closed.expect("it is closed in time");
    frames
}

/// The error codes of the GOAWAY frames that come until the server closes.
async fn goodbyes(stream: &mut TcpStream) -> Vec<u32> {
    let frames = frames(stream).await.into_iter();
    let goodbyes = frames.filter(|(kind, _, payload)| *kind == 7 && payload.len() >= 8);
    goodbyes
        .map(|(_, _, payload)| u32::from_be_bytes(payload[4..8].try_into().expect("four bytes")))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn ends_a_flood_of_resets() {
    let server = Server::start(&[]).await;
    let mut stream = open(&server).await;
    for number in 0..2000_u32 {
        let id = 2 * number + 1;
        let pair = [frame(1, 0x05, id, &head()), frame(3, 0, id, &[0, 0, 0, 8])].concat();
        if stream.write_all(&pair).await.is_err() {
            break;
        }
    }
    // ENHANCE_YOUR_CALM
    assert_eq!(goodbyes(&mut stream).await.last(), Some(&11));
    assert!(server.get("/mark").await.contains("marked"));
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_more_streams_than_it_said() {
    let server = Server::start(&[("PALISADE_HANDLER_TIMEOUT", "5m")]).await;
    let mut stream = open(&server).await;
    for number in 0..120_u32 {
        let frame = frame(1, 0x05, 2 * number + 1, &head());
        stream.write_all(&frame).await.expect("sent");
    }
    let mut refused = 0;
    let counting = async {
        let mut head = [0; 9];
        while refused < 20 {
            stream.read_exact(&mut head).await.expect("a frame");
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
            let mut payload = vec![0; length];
            stream.read_exact(&mut payload).await.expect("a payload");
            // RST_STREAM with REFUSED_STREAM
            if head[3] == 3 {
                assert_eq!(payload, [0, 0, 0, 7]);
                refused += 1;
            }
        }
    };
    timeout(LONG, counting).await.expect("in time");
    let mut calls = 0;
    let reaching = async {
        while calls < 100 {
            calls += server.log.take().len();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(LONG, reaching).await.expect("in time");
    assert_eq!(calls + server.log.take().len(), 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn ends_a_flood_of_continuations_and_what_is_no_frame() {
    let server = Server::start(&[]).await;
    let mut stream = open(&server).await;
    let begun = frame(1, 0x01, 1, &head());
    let _ = stream.write_all(&begun).await;
    let header = [&b"\x00\x01x\x7f\x81\x7f"[..], &[b'a'; 256]].concat();
    for _ in 0..1000 {
        if stream.write_all(&frame(9, 0, 1, &header)).await.is_err() {
            break;
        }
    }
    goodbyes(&mut stream).await;
    let mut stream = open(&server).await;
    let _ = stream.write_all(&[0xff; 64]).await;
    goodbyes(&mut stream).await;
    let mut stream = server.connect().await;
    let _ = stream
        .write_all(&[PREFACE, b"garbage that is no SETTINGS frame"].concat())
        .await;
    to_end(&mut stream).await;
    assert_eq!(server.log.take(), Vec::<String>::new());
    assert!(server.get("/mark").await.contains("marked"));
}

#[tokio::test(flavor = "multi_thread")]
async fn speaks_with_curl() {
    let server = Server::start(&[]).await;
    let url = format!("http://127.0.0.1:{}/mark", server.port);
    let said = tokio::task::spawn_blocking(move || {
        std::process::Command::new("curl")
            .args([
                "--http2-prior-knowledge",
                "-sS",
                "-w",
                " %{http_version} %{http_code}",
                &url,
            ])
            .output()
            .expect("curl runs")
    })
    .await
    .expect("no panic");
    assert_eq!(
        String::from_utf8_lossy(&said.stdout),
        r#"{"word":"marked"} 2 200"#,
        "{said:?}"
    );
}
