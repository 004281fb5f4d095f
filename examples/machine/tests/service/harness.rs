//! The service as a real process, and a small HTTP/1.1 client.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

const PASSWORD: &str = "correct horse battery";

pub(crate) struct Service {
    child: Child,
    key: String,
    environment: &'static str,
    pub(crate) port: u16,
    folder: tempfile::TempDir,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(own, _)| own == name);
        found.next().map(|(_, value)| value.as_str())
    }
}

/// A port that nothing uses: below those that the system gives to outgoing connections.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % 10_000).unwrap_or_default();
    loop {
        let port = 20_000 + (first + NEXT.fetch_add(1, Ordering::Relaxed)) % 10_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// What the service at this port answers; `None` when the answer did not come whole.
pub(crate) fn ask(
    port: u16,
    (method, path): (&str, &str),
    headers: &[(&str, &str)],
    body: &str,
) -> Option<Answer> {
    let mut head = format!(
        "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\nx-forwarded-proto: https\r\n"
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        head.push_str("content-type: application/json\r\n");
    }
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    let timeout = Some(Duration::from_secs(30));
    stream.set_read_timeout(timeout).ok()?;
    let request = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    stream.write_all(request.as_bytes()).ok()?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let header = |line: &str| {
        let (name, value) = line.split_once(": ")?;
        Some((name.to_lowercase(), value.to_owned()))
    };
    let answer = Answer {
        status,
        headers: lines.filter_map(header).collect(),
        text: body.to_owned(),
    };
    let length = answer.header("content-length");
    let whole = length.is_none_or(|length| length.parse() == Ok(answer.text.len()));
    whole.then_some(answer)
}

fn command(folder: &std::path::Path, key: &str, environment: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_machine"));
    command.current_dir(folder).env_clear().envs([
        ("PALISADE_ENV", environment),
        ("DATABASE_URL", "sqlite:data/machine.sqlite"),
        ("PALISADE_SECRET_KEY", key),
        ("PALISADE_ALLOWED_HOSTS", "127.0.0.1"),
        ("PALISADE_TRUSTED_PROXIES", "127.0.0.1"),
        ("PALISADE_LIMITS__CLIENT", "1000000/s"),
        ("PALISADE_HANDLER_TIMEOUT", "1s"),
        ("PALISADE_AUTH__REQUIRE_VERIFIED_EMAIL", "false"),
    ]);
    command
}

impl Service {
    pub(crate) fn start() -> Self {
        let key = palisade::secret::key::Key::generate_text();
        let folder = tempfile::tempdir().expect("a folder");
        Self::start_in(folder, key.expose().clone(), "development")
    }

    /// As an operator runs it, behind a proxy that ends TLS: this test.
    pub(crate) fn start_in_production() -> Self {
        let key = palisade::secret::key::Key::generate_text();
        let folder = tempfile::tempdir().expect("a folder");
        let mut migrate = command(folder.path(), key.expose(), "production");
        let migrated = migrate.arg("migrate").output().expect("it runs");
        assert!(migrated.status.success(), "{migrated:?}");
        Self::start_in(folder, key.expose().clone(), "production")
    }

    fn start_in(folder: tempfile::TempDir, key: String, environment: &'static str) -> Self {
        let port = free_port();
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(folder.path().join("log"))
            .expect("a log");
        let errors = log.try_clone().expect("one log for both");
        let child = command(folder.path(), &key, environment)
            .env("PORT", port.to_string())
            .stdout(log)
            .stderr(errors)
            .spawn()
            .expect("it starts");
        let service = Self {
            child,
            key,
            environment,
            port,
            folder,
        };
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let waited = started.elapsed();
            assert!(waited < Duration::from_secs(60), "its port stays closed");
            std::thread::sleep(Duration::from_millis(20));
        }
        service
    }

    /// Kills it as `kill -9` does, and starts it again on the same data.
    pub(crate) fn kill_and_go_on(mut self) -> Self {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
        let folder = std::mem::replace(&mut self.folder, tempfile::tempdir().expect("a folder"));
        Self::start_in(folder, self.key.clone(), self.environment)
    }

    /// Ends it, and gives everything that it said.
    #[cfg(unix)]
    pub(crate) fn stop(mut self) -> String {
        let id = self.child.id().to_string();
        let killed = Command::new("kill").arg(id).status();
        assert!(killed.expect("`kill` runs").success());
        let status = self.child.wait().expect("it ends");
        let log = std::fs::read_to_string(self.folder.path().join("log")).expect("the log");
        assert!(status.success(), "{status}: {log}");
        log
    }

    /// Every byte of its database.
    pub(crate) fn data(&self) -> Vec<u8> {
        let files = std::fs::read_dir(self.folder.path().join("data")).expect("a folder");
        let read = |file: std::io::Result<std::fs::DirEntry>| {
            std::fs::read(file.expect("a file").path()).expect("its bytes")
        };
        files.flat_map(read).collect()
    }

    pub(crate) fn send(
        &self,
        target: (&str, &str),
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        ask(self.port, target, headers, body).expect("an answer")
    }

    /// Calls with a token or a key.
    pub(crate) fn call(&self, method: &str, path: &str, bearer: &str, body: &str) -> Answer {
        let bearer = format!("Bearer {bearer}");
        self.send((method, path), &[("authorization", &bearer)], body)
    }

    /// Places an order under this idempotency key.
    pub(crate) fn place(&self, key: &str, once: &str, article: &str) -> Answer {
        let (bearer, once) = (format!("Bearer {key}"), format!("\"{once}\""));
        let headers = [
            ("authorization", bearer.as_str()),
            ("idempotency-key", &once),
        ];
        let body = json!({"article": article, "quantity": 2}).to_string();
        self.send(("POST", "/orders"), &headers, &body)
    }

    /// Signs a person up and in; gives the access token.
    pub(crate) fn person(&self, email: &str) -> String {
        let body = json!({"email": email, "password": PASSWORD}).to_string();
        let made = self.send(("POST", "/auth/sign-up"), &[], &body);
        assert_eq!(made.status, 201, "{}", made.text);
        let answer = self.send(("POST", "/auth/sign-in"), &[], &body);
        assert_eq!(answer.status, 200, "{}", answer.text);
        let token = answer.json()["access_token"].as_str().map(str::to_owned);
        token.expect("a token")
    }

    /// A key of this person with these scopes: the key, and its id.
    pub(crate) fn key(&self, person: &str, scopes: &[&str]) -> (String, String) {
        let body = json!({"name": "nightly", "scopes": scopes}).to_string();
        let made = self.call("POST", "/auth/api-keys", person, &body);
        assert_eq!(made.status, 201, "{}", made.text);
        let made = made.json();
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        (text(&made["key"]), text(&made["details"]["id"]))
    }

    /// The orders of the key's owner.
    pub(crate) fn orders(&self, key: &str) -> Vec<Value> {
        let answer = self.call("GET", "/orders?limit=100", key, "");
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["items"].as_array().cloned().expect("a list")
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
