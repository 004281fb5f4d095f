//! Mixed traffic, a fifth of it hostile: nothing leaks, nothing falls over, no line is lost.
//!
//! Ten seconds in the ordinary run; `PALISADE_SOAK=600` makes it ten minutes.

use std::collections::HashMap;
use std::io::Write as _;
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::harness::Service;

/// Resident memory of a process, in KiB.
fn resident(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// A limit that this traffic does not meet, and the word of a proxy for each client's address.
const OPEN: [(&str, &str); 7] = [
    ("PALISADE_ENV", "production"),
    ("PALISADE_ALLOWED_HOSTS", "127.0.0.1"),
    ("PALISADE_LIMITS__CLIENT", "1000000/s"),
    ("PALISADE_LIMITS__SIGN_IN", "1000/s"),
    ("PALISADE_LIMITS__SIGN_UP", "1000/s"),
    ("PALISADE_TRUSTED_PROXIES", "127.0.0.1"),
    ("PALISADE_AUTH__REQUIRE_VERIFIED_EMAIL", "false"),
];

/// In production, whose log is one object a line.
fn start() -> Service {
    let folder = tempfile::tempdir().expect("a folder");
    Service::migrate(folder.path(), &OPEN);
    Service::start_on(folder, &OPEN)
}

#[test]
fn loses_no_line_and_no_memory_under_mixed_traffic() {
    let seconds = std::env::var("PALISADE_SOAK")
        .ok()
        .and_then(|text| text.parse().ok());
    let (minutes, time) = (
        seconds.is_some(),
        Duration::from_secs(seconds.unwrap_or(10)),
    );
    let service = start();
    let token = service.account("ann@example.com");
    let note = service.note(&token, "kept");
    let bearer = format!("Bearer {token}");
    let answered: Mutex<HashMap<String, u16>> = Mutex::default();
    let sent = AtomicU64::new(0);
    let stop = AtomicBool::new(false);
    let mut memory = Vec::new();
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let (service, bearer, note, answered, sent, stop) =
                (&service, &bearer, &note, &answered, &sent, &stop);
            scope.spawn(move || {
                let mut number = thread;
                while !stop.load(Ordering::Relaxed) {
                    number += 4;
                    let (method, path, headers, body) = request(number, bearer, note);
                    let headers: Vec<(&str, &str)> = headers
                        .iter()
                        .map(|(name, value)| (*name, value.as_str()))
                        .collect();
                    let answer = service.send(method, &path, &headers, body.as_bytes());
                    sent.fetch_add(1, Ordering::Relaxed);
                    let id = answer.header("x-request-id").expect("an id").to_owned();
                    let before = answered
                        .lock()
                        .expect("no thread fell")
                        .insert(id, answer.status);
                    assert_eq!(before, None, "no id twice");
                    assert!(answer.status < 500, "{method} {path}: {}", answer.text);
                }
            });
        }
        let begun = Instant::now();
        while begun.elapsed() < time {
            // Heads and bodies that never end, now and then.
            for part in [
                "GET /livez HTT",
                "POST /notes HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 9\r\n\r\n{",
            ] {
                if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", service.port)) {
                    let _ = stream.write_all(part.as_bytes());
                }
            }
            std::thread::sleep(Duration::from_millis(100));
            memory.extend(resident(service.pid()));
        }
        stop.store(true, Ordering::Relaxed);
    });
    let answered = answered.into_inner().expect("no thread fell");
    let log = service.stop();
    let mut lines: HashMap<&str, u16> = HashMap::new();
    for line in log
        .lines()
        .filter(|line| line.contains("\"palisade::access\""))
    {
        let id = line
            .split("\"request_id\":\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next());
        *lines.entry(id.expect("an id in each line")).or_default() += 1;
    }
    let lost: Vec<_> = answered
        .keys()
        .filter(|id| lines.get(id.as_str()) != Some(&1))
        .collect();
    assert!(
        lost.is_empty(),
        "{} of {} requests have no line, or two",
        lost.len(),
        answered.len()
    );
    assert!(!log.contains("sys_crash") && !log.contains("were dropped"));
    if let (Some(first), Some(last)) = (memory.get(memory.len() / 3), memory.last()) {
        let grown = last.saturating_sub(*first);
        println!(
            "{} requests in {time:?}, {first} KiB after a third, {last} KiB at the end",
            sent.load(Ordering::Relaxed)
        );
        // The allocator keeps what a burst needed; a leak of some bytes a request would be far more in minutes.
        let most = if minutes { first / 10 } else { 16 * 1024 };
        assert!(grown <= most, "memory went from {first} to {last} KiB");
    }
}

type Request<'a> = (&'static str, String, Vec<(&'static str, String)>, String);

/// Four of five are what a client sends, the fifth what an attacker does.
fn request(number: u64, bearer: &str, note: &str) -> Request<'static> {
    let owner = ("authorization", bearer.to_owned());
    let json = ("content-type", "application/json".to_owned());
    let from = (
        "x-forwarded-for",
        format!("2001:db8:{:x}::1", number % 0xffff),
    );
    let plain = |path: &str| {
        (
            "GET",
            path.to_owned(),
            vec![owner.clone(), from.clone()],
            String::new(),
        )
    };
    if !number.is_multiple_of(5) {
        return match number % 4 {
            0 => plain(&format!("/notes/{note}")),
            1 => plain("/notes?limit=5"),
            2 => ("GET", "/livez".to_owned(), vec![from], String::new()),
            _ => (
                "PATCH",
                format!("/notes/{note}"),
                vec![owner, json, from],
                r#"{"stars":4}"#.to_owned(),
            ),
        };
    }
    match number / 5 % 8 {
        0 => (
            "POST",
            "/notes".to_owned(),
            vec![owner, json, from],
            "{\"title\":".to_owned(),
        ),
        1 => (
            "POST",
            "/notes".to_owned(),
            vec![json, from],
            "{}".to_owned(),
        ),
        2 => (
            "GET",
            format!("/notes/{note}"),
            vec![("authorization", "Bearer forged".to_owned()), from],
            String::new(),
        ),
        3 => (
            "POST",
            "/notes".to_owned(),
            vec![owner, json, ("sec-fetch-site", "cross-site".to_owned())],
            "{}".to_owned(),
        ),
        4 => (
            "POST",
            "/notes".to_owned(),
            vec![owner, json, from],
            format!("{{\"title\":\"{}\"}}", "x".repeat(100_000)),
        ),
        5 => (
            "GET",
            format!("/{}", "../".repeat(50)),
            vec![from],
            String::new(),
        ),
        6 => ("PUT", "/notes".to_owned(), vec![from], String::new()),
        _ => (
            "GET",
            "/notes?q=' or 1=1 --".replace(' ', "%20"),
            vec![owner, from],
            String::new(),
        ),
    }
}

#[test]
fn memory_stays_bounded_under_attack() {
    let service = start();
    let token = service.account("ann@example.com");
    let note = service.note(&token, "kept");
    let calm = resident(service.pid());
    // Bodies that are announced, begun and never ended.
    let mut held = Vec::new();
    for _ in 0..200 {
        let mut stream = TcpStream::connect(("127.0.0.1", service.port)).expect("it listens");
        let head = format!(
            "PATCH /notes/{note} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ncontent-length: 60000\r\n\r\n"
        );
        let _ = stream.write_all(head.as_bytes());
        let _ = stream.write_all(&[b' '; 50_000]);
        held.push(stream);
    }
    // Bodies that are far too large.
    for _ in 0..4 {
        let mut stream = TcpStream::connect(("127.0.0.1", service.port)).expect("it listens");
        let head = format!(
            "PATCH /notes/{note} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
        );
        let _ = stream.write_all(head.as_bytes());
        let chunk = [b"8000\r\n".as_slice(), &[b' '; 0x8000], b"\r\n"].concat();
        for _ in 0..(64 * 1024 * 1024 / 0x8000) {
            if stream.write_all(&chunk).is_err() {
                break;
            }
        }
    }
    // Clients that were never seen before, each once, on connections that are kept.
    let mut stream = TcpStream::connect(("127.0.0.1", service.port)).expect("it listens");
    let mut reader = std::io::BufReader::new(stream.try_clone().expect("the same connection"));
    for number in 0..5_000_u32 {
        let request = format!(
            "GET /nowhere HTTP/1.1\r\nhost: 127.0.0.1\r\nx-forwarded-for: 2001:db8:{:x}:{:x}::1\r\n\r\n",
            number >> 8,
            number & 0xff
        );
        stream.write_all(request.as_bytes()).expect("sent");
        skip_answer(&mut reader);
    }
    let attacked = resident(service.pid());
    if let (Some(calm), Some(attacked)) = (calm, attacked) {
        println!("{calm} KiB before, {attacked} KiB under attack");
        assert!(
            attacked < calm + 64 * 1024,
            "memory went from {calm} to {attacked} KiB"
        );
    }
    drop(held);
    assert_eq!(
        service.call("GET", "/notes", &token, "").status,
        200,
        "it still serves"
    );
}

/// Reads one answer of a connection that is kept.
fn skip_answer(reader: &mut impl std::io::BufRead) {
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a line of the head");
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
        if line == "\r\n" {
            break;
        }
        assert!(!line.is_empty(), "the connection ended");
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
}
