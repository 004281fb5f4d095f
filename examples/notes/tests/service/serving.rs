//! The service as a process: signals, a Unix socket, sockets of systemd, certificates.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::harness::{command, free_port, key, run};

const GET: &[u8] = b"GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits for something that has to come soon.
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "not in time: {what}"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn variables<'a>(key: &'a str, port: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("PALISADE_ENV", "development"),
        ("DATABASE_URL", "sqlite:data/notes.sqlite"),
        ("PALISADE_SECRET_KEY", key),
        ("PORT", port),
    ]
}

fn start(folder: &Path, more: &[(&str, &str)]) -> (Process, u16) {
    let port = free_port();
    let (key, text) = (key(), port.to_string());
    let mut variables = variables(&key, &text);
    variables.extend_from_slice(more);
    let child = command(folder, &variables)
        .stdout(log(folder))
        .spawn()
        .expect("it starts");
    (Process(child), port)
}

fn log(folder: &Path) -> fs::File {
    fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder.join("log"))
        .expect("a log")
}

fn logged(folder: &Path, words: &str) {
    until(words, || {
        let log = fs::read_to_string(folder.join("log")).ok()?;
        log.contains(words).then_some(())
    });
}

impl Process {
    fn signal(&self, name: &str) {
        let killed = Command::new("kill")
            .args([format!("-{name}"), self.0.id().to_string()])
            .status();
        assert!(killed.expect("kill runs").success());
    }

    fn ended(&mut self) -> ExitStatus {
        until("it ends", || self.0.try_wait().expect("it is ours"))
    }
}

fn alive(mut stream: impl std::io::Read + std::io::Write) -> String {
    stream.write_all(GET).expect("sent");
    let mut said = String::new();
    stream.read_to_string(&mut said).expect("answered");
    said
}

/// Waits until it serves.
fn serving(port: u16) {
    until("it serves", || TcpStream::connect(("127.0.0.1", port)).ok());
}

#[test]
fn a_first_signal_lets_requests_end_and_a_second_one_does_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut process, port) = start(folder.path(), &[("PALISADE_SERVE__DRAIN_TIMEOUT", "10m")]);
    serving(port);
    let mut under_way = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    under_way
        .write_all(b"POST /auth/sign-up HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\nexpect: 100-continue\r\n\r\n")
        .expect("sent");
    let mut head = [0; 12];
    under_way
        .read_exact(&mut head)
        .expect("its handler asks for the body");
    assert_eq!(&head, b"HTTP/1.1 100");
    process.signal("TERM");
    until("it takes no more", || {
        TcpStream::connect(("127.0.0.1", port))
            .is_err()
            .then_some(())
    });
    assert!(process.0.try_wait().expect("it is ours").is_none());
    process.signal("TERM");
    assert_eq!(process.ended().code(), Some(130));
}

#[test]
fn ends_in_order_when_nothing_is_under_way() {
    for signal in ["TERM", "INT"] {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut process, port) = start(folder.path(), &[]);
        serving(port);
        process.signal(signal);
        assert_eq!(process.ended().code(), Some(0));
    }
}

#[test]
fn serves_on_a_unix_socket_for_its_user_and_group_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("http.sock");
    let host = format!("unix:{}", path.display());
    // What a dead service left is replaced.
    drop(UnixListener::bind(&path).expect("a socket"));
    let (mut process, _) = start(folder.path(), &[("HOST", &host)]);
    until("it serves", || UnixStream::connect(&path).ok());
    let file = fs::symlink_metadata(&path).expect("there");
    assert!(file.file_type().is_socket());
    assert_eq!(file.permissions().mode() & 0o777, 0o660);
    let said = alive(UnixStream::connect(&path).expect("it listens"));
    assert!(said.contains(r#"{"status":"alive"}"#), "{said}");

    // A second one on the same socket is refused.
    let (key, port) = (key(), free_port().to_string());
    let mut variables = variables(&key, &port);
    variables.push(("HOST", &host));
    let output = run(folder.path(), &[], &variables);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(78), "{said}");
    assert!(said.contains("is taken by another program"), "{said}");
    assert!(alive(UnixStream::connect(&path).expect("it listens")).contains("alive"));

    process.signal("TERM");
    assert_eq!(process.ended().code(), Some(0));
    assert!(!path.exists());
    // Nor is a file thrown away that is no socket.
    fs::write(&path, "precious").expect("written");
    let output = run(folder.path(), &[], &variables);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("is a file, and no socket"), "{said}");
    assert_eq!(fs::read_to_string(&path).expect("there"), "precious");
}

/// Starts it as systemd does: the sockets are its third and fourth file, and the variables say so.
fn activated(folder: &Path, first: OwnedFd, second: OwnedFd, process: &str) -> Process {
    let script = format!(
        "exec 3<&0 4<&1 0</dev/null 1>>log; export LISTEN_FDS=2 LISTEN_PID={process}; exec \"$PROGRAM\""
    );
    let (key, port) = (key(), free_port().to_string());
    let mut shell = Command::new("sh");
    shell
        .current_dir(folder)
        .env_clear()
        .envs(variables(&key, &port))
        .env("PROGRAM", env!("CARGO_BIN_EXE_notes"))
        .args(["-c", &script])
        .stdin(Stdio::from(first))
        .stdout(Stdio::from(second));
    Process(shell.spawn().expect("it starts"))
}

#[test]
fn takes_the_sockets_of_systemd_and_leaves_them_when_it_ends() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("http.sock");
    let tcp = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = tcp.local_addr().expect("its address").port();
    let unix = UnixListener::bind(&path).expect("a socket");
    // One who connects before the service runs waits.
    let early = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    let copies = (
        tcp.try_clone().expect("a copy").into(),
        unix.try_clone().expect("a copy").into(),
    );
    let mut process = activated(folder.path(), copies.0, copies.1, "$$");
    assert!(alive(early).contains("alive"));
    assert!(alive(UnixStream::connect(&path).expect("it listens")).contains("alive"));
    logged(
        folder.path(),
        &format!("listening on http://127.0.0.1:{port}, an inherited Unix socket"),
    );
    process.signal("TERM");
    assert_eq!(process.ended().code(), Some(0));
    // They are systemd's: the next one who comes waits for the next start.
    assert!(path.exists() && TcpStream::connect(("127.0.0.1", port)).is_ok());
}

#[test]
fn does_not_take_sockets_that_are_meant_for_another_process() {
    let folder = tempfile::tempdir().expect("a folder");
    let tcp = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = tcp.local_addr().expect("its address").port();
    let copies = (
        tcp.try_clone().expect("a copy").into(),
        tcp.try_clone().expect("a copy").into(),
    );
    let _process = activated(folder.path(), copies.0, copies.1, "1");
    logged(folder.path(), "listening on http://127.0.0.1:");
    let log = fs::read_to_string(folder.path().join("log")).expect("the log");
    assert!(!log.contains(&format!("127.0.0.1:{port}")), "{log}");
}

fn certificate(folder: &Path) {
    let made = Command::new("openssl")
        .current_dir(folder)
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
        ])
        .args([
            "-keyout",
            "key.pem",
            "-out",
            "cert.pem",
            "-days",
            "30",
            "-subj",
            "/CN=localhost",
        ])
        .args(["-addext", "subjectAltName=DNS:localhost"])
        .output()
        .expect("openssl runs");
    assert!(made.status.success(), "{made:?}");
}

/// What a client that believes `cert.pem` alone gets.
fn over_tls(folder: &Path, port: u16) -> String {
    let output = Command::new("curl")
        .current_dir(folder)
        .args(["-sS", "--cacert", "cert.pem"])
        .arg(format!("https://localhost:{port}/livez"))
        .output()
        .expect("curl runs");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn serves_in_production_over_tls_and_reloads_on_sighup() {
    let folder = tempfile::tempdir().expect("a folder");
    certificate(folder.path());
    let (key, text, redirect) = (key(), free_port(), free_port());
    let (port, redirect_text) = (text.to_string(), redirect.to_string());
    let mut variables = variables(&key, &port);
    variables.retain(|(name, _)| *name != "PALISADE_ENV");
    variables.extend([
        ("PALISADE_ALLOWED_HOSTS", "localhost"),
        ("PALISADE_TLS__CERTIFICATE", "cert.pem"),
        ("PALISADE_TLS__KEY", "key.pem"),
        ("PALISADE_TLS__REDIRECT_PORT", &redirect_text),
        // Only the signal makes it look.
        ("PALISADE_TLS__RELOAD_INTERVAL", "1d"),
        ("PALISADE_AUTH__REQUIRE_VERIFIED_EMAIL", "false"),
    ]);
    let migrated = run(folder.path(), &["migrate"], &variables);
    assert!(migrated.status.success(), "{migrated:?}");
    let child = command(folder.path(), &variables)
        .stdout(log(folder.path()))
        .spawn()
        .expect("it starts");
    let mut process = Process(child);
    serving(text);
    assert_eq!(over_tls(folder.path(), text), r#"{"status":"alive"}"#);
    let said = alive(TcpStream::connect(("127.0.0.1", redirect)).expect("it listens"));
    assert!(
        said.contains(&format!("location: https://localhost:{text}/livez")),
        "{said}"
    );

    // A key of another pair: the old pair stays.
    fs::copy(
        folder.path().join("cert.pem"),
        folder.path().join("old.pem"),
    )
    .expect("copied");
    fs::copy(folder.path().join("key.pem"), folder.path().join("old.key")).expect("copied");
    certificate(folder.path());
    fs::copy(folder.path().join("key.pem"), folder.path().join("new.key")).expect("copied");
    fs::copy(
        folder.path().join("cert.pem"),
        folder.path().join("new.pem"),
    )
    .expect("copied");
    fs::copy(folder.path().join("old.key"), folder.path().join("key.pem")).expect("copied");
    process.signal("HUP");
    logged(folder.path(), "certificate_kept");
    fs::copy(
        folder.path().join("old.pem"),
        folder.path().join("cert.pem"),
    )
    .expect("copied");
    assert_eq!(over_tls(folder.path(), text), r#"{"status":"alive"}"#);

    fs::copy(
        folder.path().join("new.pem"),
        folder.path().join("cert.pem"),
    )
    .expect("copied");
    fs::copy(folder.path().join("new.key"), folder.path().join("key.pem")).expect("copied");
    assert_eq!(over_tls(folder.path(), text), "");
    process.signal("HUP");
    logged(folder.path(), "certificate_replaced");
    assert_eq!(over_tls(folder.path(), text), r#"{"status":"alive"}"#);
    process.signal("TERM");
    assert_eq!(process.ended().code(), Some(0));
}

/// Starts it in production behind a declared proxy, where at most so many files may be open.
fn in_production(folder: &Path, files: u32, more: &[(&str, &str)]) -> (Process, u16) {
    let (key, port) = (key(), free_port());
    let text = port.to_string();
    let mut variables = variables(&key, &text);
    variables.retain(|(name, _)| *name != "PALISADE_ENV");
    variables.extend([
        ("PALISADE_ALLOWED_HOSTS", "localhost"),
        ("PALISADE_TRUSTED_PROXIES", "192.0.2.0/24"),
        ("PALISADE_AUTH__REQUIRE_VERIFIED_EMAIL", "false"),
    ]);
    variables.extend_from_slice(more);
    let migrated = run(folder, &["migrate"], &variables);
    assert!(migrated.status.success(), "{migrated:?}");
    let script = format!("ulimit -n {files}; exec \"$PROGRAM\"");
    let mut shell = Command::new("sh");
    shell
        .current_dir(folder)
        .env_clear()
        .envs(variables)
        .env("PROGRAM", env!("CARGO_BIN_EXE_notes"))
        .args(["-c", &script])
        .stdout(log(folder));
    (Process(shell.spawn().expect("it starts")), port)
}

/// The line of this event, once it is there.
fn event(folder: &Path, name: &str) -> serde_json::Value {
    until(name, || {
        let log = fs::read_to_string(folder.join("log")).ok()?;
        let mut lines = log
            .lines()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        lines.find(|line| line["event"] == name)
    })
}

#[test]
fn names_who_was_turned_away_and_does_not_end_on_sighup() {
    let folder = tempfile::tempdir().expect("a folder");
    let one = [("PALISADE_SERVE__MAX_CONNECTIONS_PER_ADDRESS", "1")];
    let (mut process, port) = in_production(folder.path(), 256, &one);
    event(folder.path(), "sys_startup");
    process.signal("HUP");
    logged(folder.path(), "SIGHUP: there is no certificate");

    let header = b"PROXY TCP4 192.0.2.7 10.0.0.1 8080 80\r\n";
    let mut balancer = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    balancer.write_all(header).expect("sent");
    let refused = event(folder.path(), "proxy_header_refused");
    assert_eq!(refused["client"], "127.0.0.1", "{refused}");
    assert_eq!(refused["reason"], "undeclared", "{refused}");
    assert_eq!(refused["count"], 1, "{refused}");

    let kept = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    let _second = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    let refused = event(folder.path(), "excess_connections_refused");
    assert_eq!(refused["client"], "127.0.0.1", "{refused}");
    assert_eq!(refused["reason"], "max_connections_per_address");
    drop(kept);
    process.signal("TERM");
    assert_eq!(process.ended().code(), Some(0));
}

#[test]
fn warns_when_it_may_open_fewer_files_than_connections() {
    for (files, connections, warns) in [(256, "1000", true), (256, "100", false)] {
        let folder = tempfile::tempdir().expect("a folder");
        let most = [("PALISADE_SERVE__MAX_CONNECTIONS", connections)];
        let (_process, _) = in_production(folder.path(), files, &most);
        event(folder.path(), "sys_startup");
        let log = fs::read_to_string(folder.path().join("log")).expect("a log");
        let warned = log.contains("this process may open 256 files");
        assert_eq!(warned, warns, "{connections}: {log}");
    }
}
