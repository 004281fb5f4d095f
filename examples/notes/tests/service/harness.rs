//! The service as a real process, and a small HTTP/1.1 client.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;

pub(crate) const PASSWORD: &str = "correct horse battery";

pub(crate) struct Service {
    child: Child,
    key: String,
    changes: Vec<(String, String)>,
    pub(crate) port: u16,
    pub(crate) folder: tempfile::TempDir,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) text: String,
}

impl Answer {
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

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}

pub(crate) fn command(folder: &std::path::Path, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_notes"));
    command
        .current_dir(folder)
        .env_clear()
        .envs(variables.iter().copied());
    command
}

/// Runs it to its end with these variables.
pub(crate) fn run(
    folder: &std::path::Path,
    arguments: &[&str],
    variables: &[(&str, &str)],
) -> Output {
    command(folder, variables)
        .args(arguments)
        .output()
        .expect("the program runs")
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
        Self::start_in(folder, &key(), changes)
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

    fn start_in(folder: tempfile::TempDir, key: &str, changes: &[(&str, &str)]) -> Self {
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
            ("PALISADE_SECRET_KEY", key),
            ("PORT", &port_text),
        ];
        for change in changes {
            variables.retain(|(name, _)| *name != change.0);
            variables.push(*change);
        }
        let errors = log.try_clone().expect("one log for both");
        let child = command(folder.path(), &variables)
            .stdout(log)
            .stderr(errors)
            .spawn()
            .expect("it starts");
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let service = Self {
            child,
            key: key.to_owned(),
            changes: changes.iter().map(owned).collect(),
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
        let changes = std::mem::take(&mut self.changes);
        let changes: Vec<(&str, &str)> = changes
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        Self::start_in(folder, &key, &changes)
    }

    /// Ends it as an operator does, and gives its folder and its whole log.
    pub(crate) fn end(mut self) -> (tempfile::TempDir, String) {
        let process = self.child.id().to_string();
        let told = Command::new("sh")
            .args(["-c", &format!("kill -TERM {process}")])
            .status();
        assert!(told.expect("kill runs").success());
        self.child.wait().expect("it ends");
        let log = self.log();
        let folder = std::mem::replace(&mut self.folder, tempfile::tempdir().expect("a folder"));
        (folder, log)
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

    /// Ends it as an operator does, and gives everything that it said.
    #[cfg(unix)]
    pub(crate) fn stop(mut self) -> String {
        let killed = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        assert!(killed.expect("`kill` runs").success());
        let status = self.child.wait().expect("it ends");
        let log = self.log();
        assert!(status.success(), "{status}: {log}");
        log
    }

    /// Sends these bytes on a connection of its own, and reads to its end.
    pub(crate) fn raw(&self, request: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        stream
            .set_read_timeout(Some(Duration::from_secs(15)))
            .expect("a timeout");
        // A refusal may come before all is sent.
        let _ = stream.write_all(request);
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Answer::parse(&bytes).unwrap_or_else(|| panic!("no answer: {text:?}"))
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
    let body = body.to_string();
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    let timeout = Some(Duration::from_secs(15));
    stream.set_read_timeout(timeout).ok()?;
    stream.write_all(request.as_bytes()).ok()?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).ok()?;
    let answer = Answer::parse(&bytes)?;
    let whole = answer.header("content-length")?.parse() == Ok(answer.text.len());
    whole.then_some(answer)
}
