//! The service as a real process, and a small HTTP/1.1 client.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

pub(crate) const PASSWORD: &str = "correct horse battery";

pub(crate) struct Service {
    child: Child,
    key: String,
    settings: Vec<(String, String)>,
    pub(crate) port: u16,
    pub(crate) folder: tempfile::TempDir,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) text: String,
}

impl Answer {
    /// What this port answers to these bytes.
    pub(crate) fn of(port: u16, request: &[u8]) -> Self {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
        stream
            .set_read_timeout(Some(Duration::from_secs(15)))
            .expect("a timeout");
        // A refusal may come before all is sent.
        let _ = stream.write_all(request);
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Self::parse(&bytes).unwrap_or_else(|| panic!("no answer: {text:?}"))
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n")?;
        let mut lines = head.lines();
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let header = |line: &str| {
            line.split_once(": ")
                .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        };
        Some(Self {
            status,
            headers: lines.filter_map(header).collect(),
            text: body.to_owned(),
        })
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, value)| value.as_str())
    }
}

/// A key that this machine made now; development only.
pub(crate) fn key() -> String {
    palisade::secret::key::Key::generate_text().expose().clone()
}

/// A port that nothing uses: below those that the system gives to outgoing connections, so that none of these takes it before the
/// service does, and another one each time.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % 10_000).unwrap_or_default();
    loop {
        let port = 20_000 + (first + NEXT.fetch_add(1, Ordering::Relaxed)) % 10_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

pub(crate) fn command(folder: &std::path::Path, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_notes"));
    command
        .current_dir(folder)
        .env_clear()
        .envs(variables.iter().copied());
    command
}

/// Runs it to its end with these variables, for a minute at most.
pub(crate) fn run(
    folder: &std::path::Path,
    arguments: &[&str],
    variables: &[(&str, &str)],
) -> Output {
    let mut child = command(folder, variables)
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let begun = Instant::now();
    while child.try_wait().expect("it is ours").is_none() {
        // One that should have refused to start serves for ever.
        if begun.elapsed() > Duration::from_secs(60) {
            child.kill().expect("it can be killed");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.wait_with_output().expect("it has ended")
}

fn owned(settings: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    settings.iter().map(owned).collect()
}

impl Service {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts it with these variables beside the usual ones, or in their place.
    pub(crate) fn start_with(changes: &[(&str, &str)]) -> Self {
        Self::start_on(tempfile::tempdir().expect("a folder"), changes)
    }

    /// The same in this folder.
    pub(crate) fn start_on(folder: tempfile::TempDir, changes: &[(&str, &str)]) -> Self {
        Self::start_in(folder, key(), owned(changes))
    }

    /// With this secret key.
    pub(crate) fn start_with_key(key: &str, changes: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self::start_in(folder, key.to_owned(), owned(changes))
    }

    /// Applies the migrations, as an operator does before a start in production.
    pub(crate) fn migrate(folder: &std::path::Path, changes: &[(&str, &str)]) {
        let key = key();
        let mut variables = vec![
            ("DATABASE_URL", "sqlite:data/notes.sqlite"),
            ("PALISADE_SECRET_KEY", key.as_str()),
        ];
        variables.extend_from_slice(changes);
        let output = run(folder, &["migrate"], &variables);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    fn start_in(folder: tempfile::TempDir, key: String, settings: Vec<(String, String)>) -> Self {
        let port = free_port();
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(folder.path().join("log"))
            .expect("a log");
        let port_text = port.to_string();
        let mut variables = vec![
            ("PALISADE_ENV", "development"),
            ("DATABASE_URL", "sqlite:data/notes.sqlite"),
            ("PALISADE_SECRET_KEY", &key),
            ("PORT", &port_text),
        ];
        for (name, value) in &settings {
            variables.retain(|(own, _)| own != name);
            variables.push((name, value));
        }
        let errors = log.try_clone().expect("one log for both");
        let child = command(folder.path(), &variables)
            .stdout(log)
            .stderr(errors)
            .spawn()
            .expect("it starts");
        let service = Self {
            child,
            key,
            settings,
            port,
            folder,
        };
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(
                started.elapsed() < Duration::from_secs(20),
                "the service did not open its port"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        service
    }

    /// Kills it as `kill -9` does, and starts it again on the same data, with another key.
    pub(crate) fn kill_and_restart(self) -> Self {
        self.kill_and_start_with(key())
    }

    /// Kills it as `kill -9` does, and starts it again as it was.
    pub(crate) fn kill_and_go_on(self) -> Self {
        let key = self.key.clone();
        self.kill_and_start_with(key)
    }

    fn kill_and_start_with(mut self, key: String) -> Self {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
        let folder = std::mem::replace(&mut self.folder, tempfile::tempdir().expect("a folder"));
        let settings = std::mem::take(&mut self.settings);
        Self::start_in(folder, key, settings)
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder.path().join("data/notes.sqlite")
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).expect("the log")
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end, as an operator does.
    #[cfg(unix)]
    pub(crate) fn terminate(&self) {
        let killed = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        assert!(killed.expect("`kill` runs").success());
    }

    /// Ends it, and gives everything that it said.
    #[cfg(unix)]
    pub(crate) fn stop(self) -> String {
        self.end().1
    }

    /// Ends it, and gives its folder and everything that it said.
    #[cfg(unix)]
    pub(crate) fn end(mut self) -> (tempfile::TempDir, String) {
        self.terminate();
        let status = self.child.wait().expect("it ends");
        let log = self.log();
        assert!(status.success(), "{status}: {log}");
        let folder = std::mem::replace(&mut self.folder, tempfile::tempdir().expect("a folder"));
        (folder, log)
    }

    /// Sends these bytes on a connection of its own, and reads to its end.
    pub(crate) fn raw(&self, request: &[u8]) -> Answer {
        Answer::of(self.port, request)
    }

    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\nconnection: close\r\n",
            self.port
        );
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
        self.raw(&[head.as_bytes(), body].concat())
    }

    pub(crate) fn call(&self, method: &str, path: &str, token: &str, body: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        let mut headers = Vec::new();
        if !token.is_empty() {
            headers.push(("authorization", bearer.as_str()));
        }
        if !body.is_empty() {
            headers.push(("content-type", "application/json"));
        }
        self.send(method, path, &headers, body.as_bytes())
    }

    pub(crate) fn sign_up(&self, email: &str) -> Answer {
        self.call(
            "POST",
            "/auth/sign-up",
            "",
            &format!(r#"{{"email":"{email}","password":"{PASSWORD}"}}"#),
        )
    }

    pub(crate) fn sign_in(&self, email: &str) -> String {
        let answer = self.call(
            "POST",
            "/auth/sign-in",
            "",
            &format!(r#"{{"email":"{email}","password":"{PASSWORD}"}}"#),
        );
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["access_token"]
            .as_str()
            .expect("a token")
            .to_owned()
    }

    /// Signs up and in.
    pub(crate) fn account(&self, email: &str) -> String {
        assert_eq!(self.sign_up(email).status, 201);
        self.sign_in(email)
    }

    pub(crate) fn note(&self, token: &str, title: &str) -> String {
        let body = format!(r#"{{"title":"{title}","body":"text","stars":3,"tags":["a"]}}"#);
        let answer = self.call("POST", "/notes", token, &body);
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.json()["id"].as_str().expect("an id").to_owned()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Posts this body to a service that may die meanwhile; `None` when its answer did not come whole.
pub(crate) fn post_or_lose(port: u16, path: &str, body: &Value) -> Option<Answer> {
    post_or_lose_as(port, "", path, body)
}

/// The same by an access token.
pub(crate) fn post_or_lose_as(port: u16, token: &str, path: &str, body: &Value) -> Option<Answer> {
    let body = match body {
        Value::Null => String::new(),
        body => body.to_string(),
    };
    let mut head =
        format!("POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\n");
    if !token.is_empty() {
        head.push_str(&format!("authorization: Bearer {token}\r\n"));
    }
    if !body.is_empty() {
        head.push_str("content-type: application/json\r\n");
    }
    let request = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    send_or_lose(port, &request)
}

/// The answer to a `GET`; nothing when the service ended before it was whole.
pub(crate) fn get_or_lose(port: u16, path: &str) -> Option<Answer> {
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\n\r\n");
    send_or_lose(port, &request)
}

fn send_or_lose(port: u16, request: &str) -> Option<Answer> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    let timeout = Some(Duration::from_secs(15));
    stream.set_read_timeout(timeout).ok()?;
    stream.write_all(request.as_bytes()).ok()?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).ok()?;
    let answer = Answer::parse(&bytes)?;
    // 204 has no length, and ends with its head.
    let whole =
        answer.status == 204 || answer.header("content-length")?.parse() == Ok(answer.text.len());
    whole.then_some(answer)
}
