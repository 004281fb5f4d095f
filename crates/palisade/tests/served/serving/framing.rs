//! Requests that are none, or that two servers could read in two ways: as raw bytes, each followed by a good request.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::server::{LONG, Server, assert_problem, to_end};

/// What becomes of the bytes: the statuses in their order, where the last 200 is that of the good request behind them.
enum Then {
    /// Each is answered so, and then the good request is.
    Answers(&'static [u16]),
    /// The answers before, and then the refusal, which ends the connection.
    Refused(&'static [u16], u16),
    /// Answered, and then the connection ends, as the request asked.
    Ends(&'static [u16]),
}

use Then::{Answers, Ends, Refused};

const BODY: &str = "content-type: application/json\r\n";
const GOOD: &str = "GET /mark HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

fn post(rest: &str) -> Vec<u8> {
    format!("POST /take HTTP/1.1\r\nhost: localhost\r\n{BODY}{rest}").into_bytes()
}

fn get(rest: &str) -> Vec<u8> {
    format!("GET /mark HTTP/1.1\r\nhost: localhost\r\n{rest}\r\n").into_bytes()
}

fn raw(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

/// Name, bytes, what follows, and how often the handler behind `/take` and `/mark` is reached, the good request left out.
#[rustfmt::skip]
fn cases() -> Vec<(&'static str, Vec<u8>, Then, usize)> {
    let long = "x".repeat(20 * 1024);
    let many: String = (0..70).map(|number| format!("x-{number}: 1\r\n")).collect();
    let full: String = (0..63).map(|number| format!("x-{number}: 1\r\n")).collect();
    vec![
        // What is right.
        ("a plain request", get(""), Answers(&[200]), 1),
        ("two requests in one piece", [get(""), get("")].concat(), Answers(&[200, 200]), 2),
        ("eight requests in one piece", get("").repeat(8), Answers(&[200; 8]), 8),
        ("a body with a length", post("content-length: 12\r\n\r\n{\"name\":\"a\"}"), Answers(&[200]), 1),
        ("a body in chunks", post("transfer-encoding: chunked\r\n\r\n5\r\n{\"nam\r\n7\r\ne\":\"a\"}\r\n0\r\n\r\n"), Answers(&[200]), 1),
        ("chunks in capitals", post("Transfer-Encoding: CHUNKED\r\n\r\nC\r\n{\"name\":\"a\"}\r\n0\r\n\r\n"), Answers(&[200]), 1),
        ("chunks with extensions", post("transfer-encoding: chunked\r\n\r\nc;a=b;c=\"d\"\r\n{\"name\":\"a\"}\r\n0;last\r\n\r\n"), Answers(&[200]), 1),
        ("chunks with trailers", post("transfer-encoding: chunked\r\n\r\nc\r\n{\"name\":\"a\"}\r\n0\r\nx: y\r\nz: a\r\n\r\n"), Answers(&[200]), 1),
        ("a chunk size with leading zeros", post("transfer-encoding: chunked\r\n\r\n00c\r\n{\"name\":\"a\"}\r\n000\r\n\r\n"), Answers(&[200]), 1),
        ("one empty line before", [raw("\r\n"), get("")].concat(), Answers(&[200]), 1),
        ("an empty line after a body", [post("content-length: 12\r\n\r\n{\"name\":\"a\"}\r\n"), get("")].concat(), Answers(&[200, 200]), 2),
        ("blanks around a value", get("x: \t y \t\r\n"), Answers(&[200]), 1),
        ("an empty value", get("x:\r\n"), Answers(&[200]), 1),
        ("64 headers", get(&full), Answers(&[200]), 1),
        ("a query and an escape", raw("GET /mark?a=%20 HTTP/1.1\r\nhost: localhost\r\n\r\n"), Answers(&[200]), 1),
        ("the absolute form", raw("GET http://localhost/mark HTTP/1.1\r\nhost: localhost\r\n\r\n"), Answers(&[200]), 1),
        ("the absolute form of another host", raw("GET http://evil.example/mark HTTP/1.1\r\nhost: localhost\r\n\r\n"), Answers(&[421]), 0),
        ("an unknown method", raw("BREW /mark HTTP/1.1\r\nhost: localhost\r\n\r\n"), Answers(&[405]), 0),
        ("HTTP/1.0", raw("GET /mark HTTP/1.0\r\nhost: localhost\r\n\r\n"), Ends(&[200]), 1),
        ("HTTP/1.0 without a host", raw("GET /mark HTTP/1.0\r\n\r\n"), Ends(&[421]), 0),
        ("a body that no handler reads", raw("GET /mark HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\n\r\nhello"), Answers(&[200]), 1),
        ("100-continue", post("expect: 100-continue\r\ncontent-length: 12\r\n\r\n{\"name\":\"a\"}"), Answers(&[100, 200]), 1),
        // The request line.
        ("two spaces before the target", raw("GET  /mark HTTP/1.1\r\nhost: localhost\r\n\r\n"), Refused(&[], 400), 0),
        ("two spaces after the target", raw("GET /mark  HTTP/1.1\r\nhost: localhost\r\n\r\n"), Refused(&[], 400), 0),
        ("a space before the method", raw(" GET /mark HTTP/1.1\r\nhost: localhost\r\n\r\n"), Refused(&[], 400), 0),
        ("a space after the version", raw("GET /mark HTTP/1.1 \r\nhost: localhost\r\n\r\n"), Refused(&[], 400), 0),
        ("a tab for a space", raw("GET\t/mark\tHTTP/1.1\r\nhost: localhost\r\n\r\n"), Refused(&[], 400), 0),
        ("a space in the target", raw("GET /ma rk HTTP/1.1\r\nhost: localhost\r\n\r\n"), Refused(&[], 400), 0),
        ("no target", raw("GET HTTP/1.1\r\nhost: localhost\r\n\r\n"), Refused(&[], 400), 0),
        ("no version", raw("GET /mark\r\nhost: localhost\r\n\r\n"), Refused(&[], 400), 0),
        ("HTTP/0.9", raw("GET /mark\r\n"), Refused(&[], 400), 0),
        ("HTTP/1.2", raw("GET /mark HTTP/1.2\r\nhost: localhost\r\n\r\n"), Refused(&[], 400), 0),
        ("HTTP/2.0", raw("GET /mark HTTP/2.0\r\nhost: localhost\r\n\r\n"), Refused(&[], 400), 0),
        ("HTTP/01.1", raw("GET /mark HTTP/01.1\r\nhost: localhost\r\n\r\n"), Refused(&[], 400), 0),
        ("a version in small letters", raw("GET /mark http/1.1\r\nhost: localhost\r\n\r\n"), Refused(&[], 400), 0),
        ("the preface of HTTP/2 on a kept connection", [get(""), raw("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")].concat(), Refused(&[200], 400), 1),
        ("a method with a slash", raw("GE/T /mark HTTP/1.1\r\nhost: localhost\r\n\r\n"), Refused(&[], 400), 0),
        ("a method with a control character", raw("GE\x01T /mark HTTP/1.1\r\nhost: localhost\r\n\r\n"), Refused(&[], 400), 0),
        ("no method", raw("/mark HTTP/1.1\r\nhost: localhost\r\n\r\n"), Refused(&[], 400), 0),
        ("NUL in the target", raw("GET /ma\0rk HTTP/1.1\r\nhost: localhost\r\n\r\n"), Refused(&[], 400), 0),
        ("a control character in the target", raw("GET /ma\x7frk HTTP/1.1\r\nhost: localhost\r\n\r\n"), Refused(&[], 400), 0),
        ("a fragment in the target", raw("GET /mark#a HTTP/1.1\r\nhost: localhost\r\n\r\n"), Refused(&[], 400), 0),
        ("an asterisk that asks for no options", raw("GET * HTTP/1.1\r\nhost: localhost\r\n\r\n"), Refused(&[], 400), 0),
        ("an asterisk that asks for options", raw("OPTIONS * HTTP/1.1\r\nhost: localhost\r\n\r\n"), Answers(&[404]), 0),
        ("a target without a slash", raw("GET mark HTTP/1.1\r\nhost: localhost\r\n\r\n"), Answers(&[421]), 0),
        ("a target of more than 8 KiB", raw(&format!("GET /{} HTTP/1.1\r\nhost: localhost\r\n\r\n", "x".repeat(9000))), Answers(&[414]), 0),
        ("a target without end", raw(&format!("GET /{long}")), Refused(&[], 414), 0),
        ("two empty lines before", [raw("\r\n\r\n"), get("")].concat(), Refused(&[], 400), 0),
        ("a line feed before", [raw("\n"), get("")].concat(), Refused(&[], 400), 0),
        ("the opening of TLS", vec![0x16, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3, b'\r', b'\n', b'\r', b'\n'], Refused(&[], 400), 0),
        ("SSH", raw("SSH-2.0-OpenSSH_9.2\r\n"), Refused(&[], 400), 0),
        ("a PROXY header that nobody may send", [raw("PROXY TCP4 192.0.2.7 10.0.0.1 8080 80\r\n"), get("")].concat(), Refused(&[], 400), 0),
        ("a binary PROXY header that nobody may send", [raw("\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c"), vec![0; 12], get("")].concat(), Refused(&[], 400), 0),
        // Line ends.
        ("bare line feeds", raw("GET /mark HTTP/1.1\nhost: localhost\n\n"), Refused(&[], 400), 0),
        ("one bare line feed after the request line", raw("GET /mark HTTP/1.1\nhost: localhost\r\n\r\n"), Refused(&[], 400), 0),
        ("one bare line feed after a header", raw("GET /mark HTTP/1.1\r\nhost: localhost\nx: y\r\n\r\n"), Refused(&[], 400), 0),
        ("a bare line feed at the end", raw("GET /mark HTTP/1.1\r\nhost: localhost\r\n\n"), Refused(&[], 400), 0),
        ("a bare carriage return in a value", get("x: a\rb\r\n"), Refused(&[], 400), 0),
        ("a bare carriage return that hides a header", get("x: a\rcontent-length: 5\r\n"), Refused(&[], 400), 0),
        ("a bare carriage return as an end", raw("GET /mark HTTP/1.1\rhost: localhost\r\r"), Refused(&[], 400), 0),
        ("two carriage returns", get("x: a\r\r\n"), Refused(&[], 400), 0),
        // Headers.
        ("a folded value", get("x: a\r\n b\r\n"), Refused(&[], 400), 0),
        ("a value folded with a tab", get("x: a\r\n\tb\r\n"), Refused(&[], 400), 0),
        ("a folded first header", raw("GET /mark HTTP/1.1\r\n host: localhost\r\n\r\n"), Refused(&[], 400), 0),
        ("a blank before the colon", get("x : a\r\n"), Refused(&[], 400), 0),
        ("a blank before the colon of a length", post("content-length : 12\r\n\r\n{\"name\":\"a\"}"), Refused(&[], 400), 0),
        ("no colon", get("x\r\n"), Refused(&[], 400), 0),
        ("no name", get(": a\r\n"), Refused(&[], 400), 0),
        ("a name with a blank", get("x y: a\r\n"), Refused(&[], 400), 0),
        ("a name with a bracket", get("x(y: a\r\n"), Refused(&[], 400), 0),
        ("a name that is not ASCII", get("xé: a\r\n"), Refused(&[], 400), 0),
        ("NUL in a name", get("x\0y: a\r\n"), Refused(&[], 400), 0),
        ("NUL in a value", get("x: a\0b\r\n"), Refused(&[], 400), 0),
        ("a control character in a value", get("x: a\x01b\r\n"), Refused(&[], 400), 0),
        ("DEL in a value", get("x: a\x7fb\r\n"), Refused(&[], 400), 0),
        ("65 headers and more", get(&many), Refused(&[], 431), 0),
        ("a header of more than 16 KiB", get(&format!("x: {long}\r\n")), Refused(&[], 431), 0),
        ("a header without end", raw(&format!("GET /mark HTTP/1.1\r\nx: {long}")), Refused(&[], 431), 0),
        ("a name without end", raw(&format!("GET /mark HTTP/1.1\r\n{long}")), Refused(&[], 431), 0),
        // Hosts.
        ("no host", raw("GET /mark HTTP/1.1\r\n\r\n"), Refused(&[], 400), 0),
        ("two hosts", get("host: localhost\r\n"), Refused(&[], 400), 0),
        ("two hosts that differ", get("Host: evil.example\r\n"), Refused(&[], 400), 0),
        ("two hosts in HTTP/1.0", raw("GET /mark HTTP/1.0\r\nhost: a\r\nhost: b\r\n\r\n"), Refused(&[], 400), 0),
        ("a host of somebody else", raw("GET /mark HTTP/1.1\r\nhost: evil.example\r\n\r\n"), Answers(&[421]), 0),
        ("an empty host", raw("GET /mark HTTP/1.1\r\nhost:\r\n\r\n"), Answers(&[421]), 0),
        ("a host with a path", raw("GET /mark HTTP/1.1\r\nhost: localhost/x\r\n\r\n"), Answers(&[421]), 0),
        ("a host with a user", raw("GET /mark HTTP/1.1\r\nhost: a@localhost\r\n\r\n"), Answers(&[421]), 0),
        // Lengths.
        ("the same length twice", post("content-length: 12\r\ncontent-length: 12\r\n\r\n{\"name\":\"a\"}"), Refused(&[], 400), 0),
        ("two lengths that differ", post("content-length: 12\r\ncontent-length: 5\r\n\r\n{\"name\":\"a\"}"), Refused(&[], 400), 0),
        ("a list of lengths", post("content-length: 12, 12\r\n\r\n{\"name\":\"a\"}"), Refused(&[], 400), 0),
        ("a length with a plus", post("content-length: +12\r\n\r\n{\"name\":\"a\"}"), Refused(&[], 400), 0),
        ("a negative length", post("content-length: -1\r\n\r\n"), Refused(&[], 400), 0),
        ("a hexadecimal length", post("content-length: 0xc\r\n\r\n{\"name\":\"a\"}"), Refused(&[], 400), 0),
        ("a length with a blank in it", post("content-length: 1 2\r\n\r\n{\"name\":\"a\"}"), Refused(&[], 400), 0),
        ("an empty length", post("content-length:\r\n\r\n"), Refused(&[], 400), 0),
        ("a length of words", post("content-length: twelve\r\n\r\n{\"name\":\"a\"}"), Refused(&[], 400), 0),
        ("a length that overflows", post("content-length: 99999999999999999999\r\n\r\n"), Refused(&[], 400), 0),
        ("a length and chunks", post("content-length: 12\r\ntransfer-encoding: chunked\r\n\r\nc\r\n{\"name\":\"a\"}\r\n0\r\n\r\n"), Refused(&[], 400), 0),
        ("chunks and a length", post("transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\nc\r\n{\"name\":\"a\"}\r\n0\r\n\r\n"), Refused(&[], 400), 0),
        ("a length of more than the body limit", post("content-length: 99999999\r\n\r\n{"), Ends(&[413]), 0),
        // Transfer encodings.
        ("chunks twice", post("transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\nc\r\n{\"name\":\"a\"}\r\n0\r\n\r\n"), Refused(&[], 400), 0),
        ("chunks twice in one line", post("transfer-encoding: chunked, chunked\r\n\r\nc\r\n{\"name\":\"a\"}\r\n0\r\n\r\n"), Refused(&[], 400), 0),
        ("compressed chunks", post("transfer-encoding: gzip, chunked\r\n\r\nc\r\n{\"name\":\"a\"}\r\n0\r\n\r\n"), Refused(&[], 400), 0),
        ("chunks that are not last", post("transfer-encoding: chunked, identity\r\n\r\nc\r\n{\"name\":\"a\"}\r\n0\r\n\r\n"), Refused(&[], 400), 0),
        ("an unknown encoding", post("transfer-encoding: xchunked\r\n\r\nc\r\n{\"name\":\"a\"}\r\n0\r\n\r\n"), Refused(&[], 400), 0),
        ("an empty encoding", post("transfer-encoding:\r\n\r\nc\r\n{\"name\":\"a\"}\r\n0\r\n\r\n"), Refused(&[], 400), 0),
        ("an encoding with a vertical tab", post("transfer-encoding: \x0bchunked\r\n\r\nc\r\n{\"name\":\"a\"}\r\n0\r\n\r\n"), Refused(&[], 400), 0),
        ("an encoding in quotes", post("transfer-encoding: \"chunked\"\r\n\r\nc\r\n{\"name\":\"a\"}\r\n0\r\n\r\n"), Refused(&[], 400), 0),
        ("chunks in HTTP/1.0", raw("POST /take HTTP/1.0\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nc\r\n{\"name\":\"a\"}\r\n0\r\n\r\n"), Refused(&[], 400), 0),
        // Chunks.
        ("a chunk size that overflows", post("transfer-encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n{\"name\":\"a\"}\r\n0\r\n\r\n"), Ends(&[400]), 0),
        ("a chunk size of 2^64 - 1", post("transfer-encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n{\"name\":\"a\"}\r\n0\r\n\r\n"), Ends(&[400]), 0),
        ("a negative chunk size", post("transfer-encoding: chunked\r\n\r\n-c\r\n{\"name\":\"a\"}\r\n0\r\n\r\n"), Ends(&[400]), 0),
        ("a chunk size with 0x", post("transfer-encoding: chunked\r\n\r\n0xc\r\n{\"name\":\"a\"}\r\n0\r\n\r\n"), Ends(&[400]), 0),
        ("a chunk without a size", post("transfer-encoding: chunked\r\n\r\n\r\n{\"name\":\"a\"}\r\n0\r\n\r\n"), Ends(&[400]), 0),
        ("a chunk that is longer than its size", post("transfer-encoding: chunked\r\n\r\n5\r\n{\"name\":\"a\"}\r\n0\r\n\r\n"), Ends(&[400]), 0),
        ("a chunk that is shorter than its size", post("transfer-encoding: chunked\r\n\r\nd\r\n{\"name\":\"a\"}\r\n0\r\n\r\n"), Ends(&[400]), 0),
        ("a chunk that ends with a line feed", post("transfer-encoding: chunked\r\n\r\nc\r\n{\"name\":\"a\"}\n0\r\n\r\n"), Ends(&[400]), 0),
        ("a chunk size that ends with a line feed", post("transfer-encoding: chunked\r\n\r\nc\n{\"name\":\"a\"}\r\n0\r\n\r\n"), Ends(&[400]), 0),
        ("a line feed in a chunk extension", post("transfer-encoding: chunked\r\n\r\nc;a\nb\r\n{\"name\":\"a\"}\r\n0\r\n\r\n"), Ends(&[400]), 0),
        ("a carriage return in a chunk extension", post("transfer-encoding: chunked\r\n\r\nc;a\rb\r\n{\"name\":\"a\"}\r\n0\r\n\r\n"), Ends(&[400]), 0),
        ("an extension without end", post(&format!("transfer-encoding: chunked\r\n\r\nc;{long}")), Ends(&[400]), 0),
        ("a folded trailer that ends nothing", post("transfer-encoding: chunked\r\n\r\nc\r\n{\"name\":\"a\"}\r\n0\r\nx: y\n\r\n"), Ends(&[400]), 0),
        ("trailers without end", post(&format!("transfer-encoding: chunked\r\n\r\nc\r\n{{\"name\":\"a\"}}\r\n0\r\nx: {long}")), Ends(&[400]), 0),
        ("chunks that no handler reads", get("transfer-encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n"), Ends(&[200]), 1),
        ("one chunk that no handler reads", get("transfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n"), Ends(&[200]), 1),
        ("chunks of a type that is not taken", raw("POST /take HTTP/1.1\r\nhost: localhost\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n"), Ends(&[415]), 0),
        ("a trailer without a name", post("transfer-encoding: chunked\r\n\r\nc\r\n{\"name\":\"a\"}\r\n0\r\n: y\r\n\r\n"), Ends(&[400]), 0),
        ("a trailer with a blank in its name", post("transfer-encoding: chunked\r\n\r\nc\r\n{\"name\":\"a\"}\r\n0\r\nx y: z\r\n\r\n"), Ends(&[400]), 0),
        ("a request hidden in a chunked body", post("transfer-encoding: chunked\r\n\r\n34\r\nGET /mark HTTP/1.1\r\nhost: localhost\r\nx-hidden: 1\r\n\r\n\r\n0\r\n\r\n"), Answers(&[400]), 0),
        ("garbage behind a body", [post("content-length: 12\r\n\r\n{\"name\":\"a\"}"), raw("garbage\r\n\r\n")].concat(), Refused(&[200], 400), 1),
        ("a body that is longer than its length", post("content-length: 12\r\n\r\n{\"name\":\"a\"}}}}}\r\n"), Refused(&[200], 400), 1),
        ("a request hidden in a body with a length", post("content-length: 50\r\n\r\nGET /mark HTTP/1.1\r\nhost: localhost\r\nx-hide: 1\r\n\r\n"), Answers(&[400]), 0),
    ]
}

/// The answers, told apart by their lengths.
fn answers(mut text: &str) -> Vec<(u16, String)> {
    let mut all = Vec::new();
    while !text.is_empty() {
        let (head, rest) = text
            .split_once("\r\n\r\n")
            .unwrap_or_else(|| panic!("no whole head in {text:?}"));
        let status = head
            .strip_prefix("HTTP/1.1 ")
            .or_else(|| head.strip_prefix("HTTP/1.0 "))
            .and_then(|rest| rest.get(..3)?.parse().ok())
            .unwrap_or_else(|| panic!("no status in {text:?}"));
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok())
            .unwrap_or(0);
        let (body, next) = rest.split_at(length);
        all.push((status, format!("{head}\r\n\r\n{body}")));
        text = next;
    }
    all
}

/// What is wrong with the answers, if anything.
fn fault(name: &str, said: &str, then: &Then) -> Option<String> {
    let answers = answers(said);
    let statuses: Vec<u16> = answers.iter().map(|(status, _)| *status).collect();
    let expected = match then {
        Answers(before) => [before, &[200][..]].concat(),
        Refused(before, status) => [*before, &[*status]].concat(),
        Ends(before) => before.to_vec(),
    };
    if statuses != expected {
        return Some(format!("{name}: {statuses:?} and not {expected:?}"));
    }
    for (status, answer) in answers.iter().filter(|(status, _)| *status >= 400) {
        assert_problem(&answer.replacen("HTTP/1.0", "HTTP/1.1", 1), *status);
    }
    let (_, last) = answers.last().expect("an answer");
    let closed = last.contains("connection: close") || last.starts_with("HTTP/1.0");
    if !closed {
        return Some(format!(
            "{name}: it is not said that the connection ends: {last}"
        ));
    }
    let early = &answers[..answers.len() - 1];
    early
        .iter()
        .any(|(_, answer)| answer.contains("connection: close"))
        .then(|| format!("{name}: it was said too early that the connection ends: {said}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_every_request_as_one_thing_or_refuses_it() {
    let server = Server::start(&[]).await;
    let cases = cases();
    assert!(cases.len() >= 80, "{}", cases.len());
    let mut faults = Vec::new();
    for (name, bytes, then, calls) in &cases {
        let said = server.raw(&[bytes, GOOD.as_bytes()].concat()).await;
        faults.extend(fault(name, &said, then));
        let good = usize::from(matches!(then, Answers(_)));
        let reached = server.log.take();
        if reached.len() != calls + good {
            faults.push(format!("{name}: {reached:?} reached a handler"));
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

/// The same in small pieces: nothing depends on how the bytes arrive.
#[tokio::test(flavor = "multi_thread")]
async fn reads_them_alike_however_they_arrive() {
    let server = Server::start(&[]).await;
    let mut faults = Vec::new();
    for (name, bytes, then, _) in &cases() {
        if bytes.len() > 1000 {
            continue;
        }
        let mut stream = server.connect().await;
        for piece in [bytes.as_slice(), GOOD.as_bytes()].concat().chunks(7) {
            if stream.write_all(piece).await.is_err() {
                break;
            }
            tokio::task::yield_now().await;
        }
        faults.extend(fault(name, &to_end(&mut stream).await, then));
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

/// A connection that is closed with bytes unread breaks off, and with it the answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_is_still_speaking_hears_its_refusal_to_the_end() {
    let server = Server::start(&[]).await;
    let junk = "x".repeat(120 * 1024);
    for (head, status) in [
        (raw("GET  /mark HTTP/1.1\r\nhost: localhost\r\n\r\n"), 400),
        (get(&format!("x: {}", "y".repeat(17 * 1024))), 431),
        (post("content-length: 122880\r\n\r\n"), 413),
    ] {
        for _ in 0..10 {
            let mut stream = server.connect().await;
            let (mut reader, mut writer) = stream.split();
            let speaking = async {
                writer.write_all(&head).await.expect("sent");
                for piece in junk.as_bytes().chunks(4096) {
                    writer
                        .write_all(piece)
                        .await
                        .expect("the other side listens");
                }
            };
            let hearing = async {
                let mut bytes = Vec::new();
                let heard = reader.read_to_end(&mut bytes).await;
                heard.expect("the connection is closed, and does not break off");
                String::from_utf8_lossy(&bytes).into_owned()
            };
            let both = async { tokio::join!(hearing, speaking).0 };
            let said = tokio::time::timeout(LONG, both).await.expect("in time");
            assert_problem(&said, status);
        }
    }
}
