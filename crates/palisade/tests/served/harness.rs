//! The app behind a real socket, and a client that sees every byte.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use palisade::config::Sources;
use palisade::prelude::*;
use palisade::secret::key::Key;
use serde_json::Value;

use crate::app;

pub(crate) struct Server {
    pub(crate) port: u16,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) text: String,
}

const HSTS: &str = "strict-transport-security";

/// What every answer carries, whoever made it.
pub(crate) const ON_EVERY_ANSWER: [(&str, &str); 13] = [
    (
        "content-security-policy",
        "default-src 'none'; frame-ancestors 'none'",
    ),
    (HSTS, "max-age=63072000; includeSubDomains; preload"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cache-control", "no-store"),
    ("x-xss-protection", "0"),
    ("x-dns-prefetch-control", "off"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("origin-agent-cluster", "?1"),
    ("x-permitted-cross-domain-policies", "none"),
    ("x-download-options", "noopen"),
];

impl Server {
    /// Serves the app of these tests with these settings changed.
    pub(crate) fn start(changes: &[(&str, &str)]) -> Self {
        Self::start_with(changes, |app| app)
    }

    /// The same with something added to the app.
    pub(crate) fn start_with(
        changes: &[(&str, &str)],
        add: impl FnOnce(App) -> App + Send + 'static,
    ) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite:{}", folder.path().join("app.sqlite").display());
        let key = Key::generate_text();
        let mut variables = vec![
            ("PALISADE_ENV", "development"),
            ("DATABASE_URL", url.as_str()),
            ("PALISADE_SECRET_KEY", key.expose()),
            ("PALISADE_LIMITS__CLASSES", "search=2/h"),
        ];
        for change in changes {
            variables.retain(|(name, _)| *name != change.0);
            variables.push(*change);
        }
        let sources = Sources::new(folder.path(), variables);
        let (ready, started) = std::sync::mpsc::channel();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            let _folder = folder;
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async {
                let app = App::from_sources::<()>(&sources).and_then(|app| {
                    let app = app.migrations(app::THINGS);
                    add(app.routes(auth::routes()).routes(app::routes())).build()
                });
                let app = app.unwrap_or_else(|refusal| panic!("{refusal}"));
                let app = app.start().await;
                let mut app = app.unwrap_or_else(|refusal| panic!("{refusal}"));
                let metrics = app.open_metrics().await;
                metrics.unwrap_or_else(|refusal| panic!("{refusal}"));
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
                    .await
                    .expect("a port");
                let port = listener.local_addr().expect("its address").port();
                ready.send(port).expect("somebody waits");
                app.serve(listener, async {
                    let _ = stopped.await;
                })
                .await;
            });
        });
        Self {
            port: started.recv().expect("it starts"),
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .expect("a timeout");
        stream
    }

    /// Sends these bytes on a connection of its own, and reads to its end.
    pub(crate) fn raw(&self, request: &[u8]) -> Answer {
        let mut stream = self.connect();
        // A refusal may come before all is sent.
        let _ = stream.write_all(request);
        Answer::read(stream)
    }

    pub(crate) fn call(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut head = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n");
        let given = |wanted: &str| headers.iter().any(|(name, _)| *name == wanted);
        if !given("host") {
            head.push_str(&format!("host: 127.0.0.1:{}\r\n", self.port));
        }
        if !body.is_empty() && !given("content-type") {
            head.push_str("content-type: application/json\r\n");
        }
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
        self.raw(head.as_bytes())
    }

    pub(crate) fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.call("GET", path, headers, "")
    }

    /// Signs up and in; gives the access token.
    pub(crate) fn account(&self, email: &str) -> String {
        let body = format!(r#"{{"email":"{email}","password":"correct horse battery"}}"#);
        assert_eq!(self.call("POST", "/auth/sign-up", &[], &body).status, 201);
        let answer = self.call("POST", "/auth/sign-in", &[], &body);
        let token = answer.json()["access_token"].as_str().map(str::to_owned);
        token.unwrap_or_else(|| panic!("no token: {}", answer.text))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
            && !std::thread::panicking()
        {
            panic!("the server did not end well");
        }
    }
}

impl Answer {
    /// Reads to the connection's end.
    pub(crate) fn read(mut stream: TcpStream) -> Self {
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        Self::parse(&bytes)
    }

    /// Reads a problem document of a connection that may stay open.
    pub(crate) fn read_problem(mut stream: TcpStream) -> Self {
        let mut bytes = Vec::new();
        let mut buffer = [0; 4096];
        while !bytes.ends_with(b"}") {
            match stream.read(&mut buffer) {
                Ok(0) | Err(_) => break,
                Ok(read) => bytes.extend_from_slice(&buffer[..read]),
            }
        }
        Self::parse(&bytes)
    }

    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            panic!("no answer: {text:?}");
        };
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1));
        let header = |line: &str| {
            line.split_once(": ")
                .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        };
        Self {
            status: status.and_then(|code| code.parse().ok()).expect("a status"),
            headers: lines.filter_map(header).collect(),
            text: body.to_owned(),
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }

    pub(crate) fn header(&self, wanted: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(name, _)| name == wanted);
        let value = found.next().map(|(_, value)| value.as_str());
        assert!(found.next().is_none(), "{wanted} stands twice");
        value
    }

    /// Checks the headers that every answer carries.
    pub(crate) fn has_every_header(&self, what: &str) {
        self.has_all(what, &ON_EVERY_ANSWER);
    }

    /// The same for an answer to a client that came over plain HTTP, where HTTPS is served.
    pub(crate) fn has_every_header_of_plain_http(&self, what: &str) {
        assert_eq!(self.header(HSTS), None, "{what}");
        let all = ON_EVERY_ANSWER.iter().filter(|(name, _)| *name != HSTS);
        self.has_all(what, &all.copied().collect::<Vec<_>>());
    }

    fn has_all(&self, what: &str, all: &[(&str, &str)]) {
        for (name, value) in all {
            assert_eq!(self.header(name), Some(*value), "{what}: {name}");
        }
        let policy = self.header("permissions-policy").unwrap_or_default();
        assert!(policy.contains("camera=()"), "{what}: {policy}");
        let limit = self.header("ratelimit-policy").unwrap_or_default();
        assert!(limit.contains(";q="), "{what}: {limit}");
        let id = self.header("x-request-id").unwrap_or_default();
        assert_eq!(id.len(), 32, "{what}: {id}");
        assert!(self.header("date").is_some(), "{what}");
        for name in ["server", "x-powered-by"] {
            assert_eq!(self.header(name), None, "{what}");
        }
    }

    /// Checks that it is a problem document with all headers, and gives it.
    pub(crate) fn is_a_problem(&self, what: &str) -> Value {
        self.has_every_header(what);
        self.problem(what)
    }

    /// The problem document that it is.
    pub(crate) fn problem(&self, what: &str) -> Value {
        let kind = self.header("content-type");
        assert_eq!(kind, Some("application/problem+json"), "{what}");
        let document = self.json();
        assert_eq!(document["status"], self.status, "{what}");
        let uri = document["type"].as_str().unwrap_or_default();
        assert!(uri.starts_with("urn:palisade:problem:"), "{what}: {uri}");
        assert!(document["title"].is_string(), "{what}");
        let id = self.header("x-request-id").expect("an id");
        assert_eq!(document["request_id"], id, "{what}");
        document
    }
}
