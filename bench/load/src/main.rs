//! A closed-loop client: so many connections, each with one request under way, and a count of what came back.
//!
//! `bench-load ADDRESS REQUEST-FILE CONNECTIONS (for SECONDS | REQUESTS)` prints `requests failed seconds p50-micros p99-micros`.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::LocalSet;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

type Fault = Box<dyn std::error::Error>;

struct Run {
    request: Vec<u8>,
    /// Requests that may still be sent; without end where the time is what ends it.
    left: Cell<u64>,
    until: Option<Instant>,
    done: Cell<u64>,
    failed: Cell<u64>,
    micros: RefCell<Vec<u32>>,
}

fn main() -> Result<(), Fault> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (address, file, connections, left, seconds) = match words[..] {
        [address, file, connections, "for", seconds] => {
            (address, file, connections, u64::MAX, Some(seconds.parse()?))
        }
        [address, file, connections, requests] => {
            (address, file, connections, requests.parse()?, None)
        }
        _ => {
            return Err(
                "usage: bench-load ADDRESS FILE CONNECTIONS (for SECONDS | REQUESTS)".into(),
            );
        }
    };
    let started = Instant::now();
    let run = Rc::new(Run {
        request: std::fs::read(file)?,
        left: Cell::new(left),
        until: seconds.map(|seconds| started + Duration::from_secs_f64(seconds)),
        done: Cell::new(0),
        failed: Cell::new(0),
        micros: RefCell::default(),
    });
    let connections: usize = connections.parse()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let local = LocalSet::new();
    for _ in 0..connections {
        let (run, address) = (Rc::clone(&run), address.to_owned());
        local.spawn_local(async move {
            // A connection that breaks is one failure, and no more requests.
            if connection(&run, &address).await.is_err() {
                run.failed.set(run.failed.get() + 1);
            }
        });
    }
    runtime.block_on(local);
    let mut micros = run.micros.take();
    micros.sort_unstable();
    let at = |part: usize| micros.get(micros.len() * part / 100).copied().unwrap_or(0);
    println!(
        "{} {} {} {} {}",
        run.done.get(),
        run.failed.get(),
        started.elapsed().as_secs_f64(),
        at(50),
        at(99)
    );
    Ok(())
}

async fn connection(run: &Run, address: &str) -> Result<(), Fault> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut answer = Vec::with_capacity(16 * 1024);
    while run.left.get() > 0 && run.until.is_none_or(|until| Instant::now() < until) {
        run.left.set(run.left.get() - 1);
        let sent = Instant::now();
        stream.write_all(&run.request).await?;
        answer.clear();
        let ok = tokio::time::timeout(PATIENCE, read(&mut stream, &mut answer)).await??;
        run.micros
            .borrow_mut()
            .push(sent.elapsed().as_micros() as u32);
        run.done.set(run.done.get() + 1);
        run.failed.set(run.failed.get() + u64::from(!ok));
    }
    Ok(())
}

/// Reads one whole answer; whether its status is one of success.
async fn read(stream: &mut TcpStream, answer: &mut Vec<u8>) -> Result<bool, Fault> {
    let mut whole = None;
    loop {
        if whole.is_none()
            && let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n")
        {
            whole = Some(end + 4 + length(&answer[..end]).ok_or("no content-length")?);
        }
        if whole.is_some_and(|whole| answer.len() >= whole) {
            return Ok(answer.starts_with(b"HTTP/1.1 2"));
        }
        if stream.read_buf(answer).await? == 0 {
            return Err("the connection was closed".into());
        }
    }
}

fn length(head: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"content-length:";
    head.split(|byte| *byte == b'\n').find_map(|line| {
        let (name, value) = line.split_at_checked(NAME.len())?;
        name.eq_ignore_ascii_case(NAME).then_some(())?;
        std::str::from_utf8(value).ok()?.trim().parse().ok()
    })
}
