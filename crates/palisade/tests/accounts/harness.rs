//! An app with accounts, served from this process on each database, and a small HTTP client.

use std::sync::atomic::{AtomicU32, Ordering};

use palisade::config::Sources;
use palisade::db::Db;
use palisade::prelude::*;
use palisade::secret::key::Key;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

pub(crate) const PASSWORD: &str = "three unrelated words";

static COUNT: AtomicU32 = AtomicU32::new(0);

/// Where an app keeps its data: made once, started on as often as a test wants.
pub(crate) struct Place {
    pub(crate) name: &'static str,
    pub(crate) url: String,
    pub(crate) key: String,
    folder: tempfile::TempDir,
}

pub(crate) struct Served {
    pub(crate) port: u16,
    pub(crate) db: Db,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    serving: Option<tokio::task::JoinHandle<()>>,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }

    pub(crate) fn text_of(&self, member: &str) -> String {
        let json = self.json();
        let text = json[member].as_str();
        text.unwrap_or_else(|| panic!("no {member}: {json}"))
            .to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(own, _)| own == name);
        found.next().map(|(_, value)| value.as_str())
    }
}

/// A fresh place on each database.
pub(crate) async fn places() -> Vec<Place> {
    let place = |name, url, folder| Place {
        name,
        url,
        key: Key::generate_text().expose().clone(),
        folder,
    };
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite:{}", folder.path().join("app.sqlite").display());
    let mut all = vec![place("SQLite", url, folder)];
    match std::env::var("PALISADE_TEST_POSTGRES") {
        Ok(server) => {
            let url = database(&server).await;
            let folder = tempfile::tempdir().expect("a folder");
            all.push(place("PostgreSQL", url, folder));
        }
        Err(_) if std::env::var_os("CI").is_some() => panic!("PALISADE_TEST_POSTGRES is not set"),
        Err(_) => {
            println!("skipped: PALISADE_TEST_POSTGRES names no server, so this ran on SQLite only");
        }
    }
    all
}

/// A place on SQLite alone, for what no database changes.
pub(crate) async fn place() -> Place {
    places().await.swap_remove(0)
}

async fn database(server: &str) -> String {
    use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("a{}_{number}", std::process::id());
    let mut connection = sqlx::PgConnection::connect(server)
        .await
        .expect("the server answers");
    let made = connection
        .execute(AssertSqlSafe(format!("create database {name}")))
        .await;
    made.expect("a database");
    connection.close().await.expect("it closes");
    let (base, _) = server.rsplit_once('/').expect("the URL names a database");
    format!("{base}/{name}")
}

impl Place {
    /// The app on this place, with more settings; limits by address are out of the way.
    pub(crate) fn app(&self, settings: &[(&str, &str)]) -> Result<App, Refusal> {
        let mut variables = vec![
            ("PALISADE_ENV", "development"),
            ("DATABASE_URL", &self.url),
            ("PALISADE_SECRET_KEY", &self.key),
            ("PALISADE_TRUSTED_PROXIES", "127.0.0.1/32"),
            ("PALISADE_LIMITS__CLIENT", "1000000/s"),
            ("PALISADE_LIMITS__SIGN_IN", "1000000/s"),
            ("PALISADE_LIMITS__SIGN_UP", "1000000/s"),
            ("PALISADE_LIMITS__REFRESH", "1000000/s"),
            ("PALISADE_LIMITS__AUTH", "1000000/s"),
            ("PALISADE_HANDLER_TIMEOUT", "60s"),
        ];
        variables.retain(|(name, _)| settings.iter().all(|(other, _)| other != name));
        variables.extend_from_slice(settings);
        let sources = Sources::new(self.folder.path(), variables);
        App::from_sources::<()>(&sources)?
            .routes(auth::routes())
            .build()
    }

    pub(crate) async fn serve(&self, settings: &[(&str, &str)]) -> Served {
        let app = self.app(settings).expect("it is built");
        Served::of(app).await
    }
}

impl Served {
    pub(crate) async fn of(app: App) -> Self {
        let started = app.start().await.expect("it starts");
        let db = started.db().clone();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let serving = tokio::spawn(started.serve(listener, async {
            let _ = stopped.await;
        }));
        Self {
            port,
            db,
            stop: Some(stop),
            serving: Some(serving),
        }
    }

    /// Ends it, and waits until it has ended.
    pub(crate) async fn stop(mut self) {
        drop(self.stop.take());
        if let Some(serving) = self.serving.take() {
            serving.await.expect("it ends");
        }
    }

    /// Calls as a client at this address.
    pub(crate) async fn call_from(
        &self,
        client: &str,
        method: &str,
        path: &str,
        token: &str,
        body: &Value,
    ) -> Answer {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\nconnection: close\r\nx-forwarded-for: {client}\r\ncontent-length: {}\r\n",
            self.port,
            body.len()
        );
        if !token.is_empty() {
            head.push_str(&format!("authorization: Bearer {token}\r\n"));
        }
        if !body.is_empty() {
            head.push_str("content-type: application/json\r\n");
        }
        let stream = tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await;
        let mut stream = stream.expect("it listens");
        let request = format!("{head}\r\n{body}");
        // A refusal may come before all is sent.
        let _ = stream.write_all(request.as_bytes()).await;
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes).await;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let split = text.split_once("\r\n\r\n");
        let (head, body) = split.unwrap_or_else(|| panic!("no answer: {text:?}"));
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1));
        let header = |line: &str| {
            let (name, value) = line.split_once(": ")?;
            Some((name.to_lowercase(), value.to_owned()))
        };
        Answer {
            status: status.and_then(|code| code.parse().ok()).expect("a status"),
            headers: lines.filter_map(header).collect(),
            text: body.to_owned(),
        }
    }

    pub(crate) async fn call(&self, method: &str, path: &str, token: &str, body: &Value) -> Answer {
        self.call_from("192.0.2.1", method, path, token, body).await
    }

    pub(crate) async fn sign_up(&self, email: &str, password: &str) -> Answer {
        let body = json!({"email": email, "password": password});
        self.call("POST", "/auth/sign-up", "", &body).await
    }

    pub(crate) async fn sign_in(&self, email: &str, password: &str) -> Answer {
        let body = json!({"email": email, "password": password});
        self.call("POST", "/auth/sign-in", "", &body).await
    }

    /// Signs up and in.
    pub(crate) async fn account(&self, email: &str) -> Answer {
        assert_eq!(self.sign_up(email, PASSWORD).await.status, 201);
        let answer = self.sign_in(email, PASSWORD).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer
    }

    pub(crate) async fn me(&self, token: &str) -> Answer {
        self.call("GET", "/auth/me", token, &Value::Null).await
    }

    pub(crate) async fn refresh_from(&self, client: &str, token: &str) -> Answer {
        let body = json!({"refresh_token": token});
        self.call_from(client, "POST", "/auth/refresh", "", &body)
            .await
    }

    pub(crate) async fn refresh(&self, token: &str) -> Answer {
        self.refresh_from("192.0.2.1", token).await
    }
}
