//! `--run`: built with cargo's own progress, started in the foreground, announced once it answers.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::thread::sleep;
use std::time::{Duration, Instant};
use std::{env, io};

use anstyle::Style;

use crate::{Failure, say};

const DEFAULT_PORT: u16 = 3000;
const PATIENCE: Duration = Duration::from_secs(120);

/// Builds the service, becomes it, and lets a second process say when it answers.
pub(super) fn run(folder: &Path, name: &str) -> Result<ExitCode, Failure> {
    let built = cargo(folder)
        .arg("build")
        .status()
        .map_err(|error| cannot_run(&error))?;
    if !built.success() {
        return Err(Failure::other(format!(
            "`{name}` was written but did not build: see above."
        )));
    }
    let port = port()?;
    let announcer = env::current_exe().map_err(|error| cannot_run(&error))?;
    Command::new(announcer)
        .args(["announce", &port.to_string(), name])
        .spawn()
        .map_err(|error| cannot_run(&error))?;
    let mut service = cargo(folder);
    service
        .args(["run", "--quiet"])
        .env("PORT", port.to_string());
    become_it(service)
}

/// Ctrl-C on the terminal then reaches the service alone, which drains and ends.
#[cfg(unix)]
fn become_it(mut service: Command) -> Result<ExitCode, Failure> {
    use std::os::unix::process::CommandExt;
    Err(cannot_run(&service.exec()))
}

#[cfg(not(unix))]
fn become_it(mut service: Command) -> Result<ExitCode, Failure> {
    let ended = service.status().map_err(|error| cannot_run(&error))?;
    Ok(if ended.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// A cargo that knows nothing of a cargo that may have started this command.
fn cargo(folder: &Path) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(folder);
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}

fn cannot_run(error: &io::Error) -> Failure {
    Failure::other(format!(
        "The service was written but could not be started: {error}."
    ))
}

/// The port that PORT names, or the usual one, or any that is free.
fn port() -> Result<u16, Failure> {
    if let Some(port) = env::var("PORT").ok().and_then(|port| port.parse().ok()) {
        return Ok(port);
    }
    TcpListener::bind(("127.0.0.1", DEFAULT_PORT))
        .or_else(|_| TcpListener::bind(("127.0.0.1", 0)))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|error| cannot_run(&error))
}

/// Waits until the service answers and says how to try it; says nothing when it ended before.
pub(crate) fn announce(port: u16, name: &str) -> Result<ExitCode, Failure> {
    let service = parent();
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until && parent() == service {
        if alive(port).unwrap_or(false) {
            let bold = Style::new().bold();
            let mut text = format!(
                "\n{bold}{name} answers on http://127.0.0.1:{port}{bold:#} (Ctrl-C stops it). In another terminal:\n\n"
            );
            for line in requests(port) {
                text += &format!("{line}\n");
            }
            text.push('\n');
            say(&text);
            return Ok(ExitCode::SUCCESS);
        }
        sleep(Duration::from_millis(100));
    }
    Ok(ExitCode::FAILURE)
}

#[cfg(unix)]
fn parent() -> u32 {
    std::os::unix::process::parent_id()
}

#[cfg(not(unix))]
fn parent() -> u32 {
    0
}

fn alive(port: u16) -> io::Result<bool> {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let second = Duration::from_secs(1);
    let mut stream = TcpStream::connect_timeout(&address, second)?;
    stream.set_read_timeout(Some(second))?;
    stream.write_all(b"GET /livez HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(16 * 1024).read_to_end(&mut answer)?;
    Ok(answer.starts_with(b"HTTP/1.1 200"))
}

/// Three requests to paste: make an account, sign in, write a note.
pub(super) fn requests(port: u16) -> [String; 3] {
    let url = format!("http://127.0.0.1:{port}");
    let json = "-H 'content-type: application/json'";
    let credentials = r#"'{"email":"ada@example.com","password":"tidy-otters-map-the-river"}'"#;
    [
        format!("curl -sS {url}/auth/sign-up {json} -d {credentials}"),
        format!(
            r#"TOKEN=$(curl -sS {url}/auth/sign-in {json} -d {credentials} | sed 's/.*"access_token":"\([^"]*\)".*/\1/')"#
        ),
        format!(
            r#"curl -sS {url}/notes -H "authorization: Bearer $TOKEN" {json} -d '{{"title":"Hello","body":"<p>My first note</p>"}}'"#
        ),
    ]
}
