//! An app with accounts, served from this process on each database, and a small HTTP client.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use palisade::auth::Accounts;
use palisade::config::Sources;
use palisade::db::Db;
use palisade::endpoint::Routes;
use palisade::mail::{Mail, Mailer, Sending};
use palisade::prelude::*;
use palisade::secret::key::Key;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

pub(crate) const PASSWORD: &str = "three unrelated words";

static COUNT: AtomicU32 = AtomicU32::new(0);

/// What the role `keeper` allows, with a second factor alone.
pub(crate) struct KeepKeys;
impl Permission for KeepKeys {
    const NAME: &'static str = "keys.keep";
}

/// Where an app keeps its data: made once, started on as often as a test wants.
pub(crate) struct Place {
    pub(crate) name: &'static str,
    pub(crate) url: String,
    pub(crate) key: String,
    pub(crate) mails: Captured,
    folder: tempfile::TempDir,
}

/// What the role `admin` allows.
pub(crate) struct ManageAll;
impl Permission for ManageAll {
    const NAME: &'static str = "all.manage";
}

/// The mail of an app, in memory.
#[derive(Debug, Clone, Default)]
pub(crate) struct Captured(Arc<Mutex<Vec<Mail>>>);

impl Mailer for Captured {
    fn send<'a>(&'a self, mail: &'a Mail) -> Sending<'a> {
        self.0.lock().expect("not poisoned").push(mail.clone());
        Box::pin(async { Ok(()) })
    }
}

impl Captured {
    /// The next mail to this address whose subject holds these words, taken out.
    pub(crate) async fn next(&self, to: &str, subject: &str) -> Mail {
        let begun = Instant::now();
        loop {
            if let Some(mail) = self.take(to, subject) {
                return mail;
            }
            assert!(
                begun.elapsed().as_secs() < 30,
                "no mail to {to} about {subject}"
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn take(&self, to: &str, subject: &str) -> Option<Mail> {
        let mut mails = self.0.lock().expect("not poisoned");
        let is = |mail: &Mail| mail.to().as_str() == to && mail.subject().contains(subject);
        let at = mails.iter().position(is)?;
        Some(mails.remove(at))
    }

    /// The token of that mail.
    pub(crate) async fn token(&self, to: &str, subject: &str) -> String {
        token_of(self.next(to, subject).await.body())
    }

    pub(crate) fn clear(&self) {
        self.0.lock().expect("not poisoned").clear();
    }

    pub(crate) fn count(&self, to: &str) -> usize {
        let mails = self.0.lock().expect("not poisoned");
        mails.iter().filter(|mail| mail.to().as_str() == to).count()
    }
}

/// The token that a mail shows.
pub(crate) fn token_of(body: &str) -> String {
    let is = |word: &&str| palisade::secret::token::Token::parse(word).is_some();
    let mut words = body.split(|c: char| c.is_whitespace() || c == '=');
    let token = words.find(is);
    token
        .unwrap_or_else(|| panic!("no token: {body}"))
        .to_owned()
}

pub(crate) struct Served {
    pub(crate) port: u16,
    pub(crate) db: Db,
    pub(crate) accounts: Accounts,
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
        mails: Captured::default(),
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

fn uuid(text: &str) -> palisade::__private::Uuid {
    palisade::__private::Uuid::try_parse(text).expect("an id")
}

impl Place {
    /// The place with this database, for another process.
    pub(crate) fn at(url: &str) -> Self {
        Self {
            name: "given",
            url: url.to_owned(),
            key: Key::generate_text().expose().clone(),
            folder: tempfile::tempdir().expect("a folder"),
            mails: Captured::default(),
        }
    }

    /// The app on this place, with more settings; limits by address are out of the way, and mail is captured.
    pub(crate) fn app(&self, settings: &[(&str, &str)]) -> Result<App, Refusal> {
        self.app_with(settings, routes![])
    }

    /// The same, with routes of its own.
    pub(crate) fn app_with(&self, settings: &[(&str, &str)], own: Routes) -> Result<App, Refusal> {
        let keeper = Role::new("keeper").may::<KeepKeys>();
        self.builder(settings)?
            .routes(own)
            .role(Role::new("admin").may::<ManageAll>())
            .role(keeper.requires_second_factor())
            .build()
    }

    /// The same, before it is built; with the tables of every resource of these tests.
    pub(crate) fn builder(&self, settings: &[(&str, &str)]) -> Result<App, Refusal> {
        let mailer = Arc::new(self.mails.clone()) as Arc<dyn Mailer>;
        Ok(self.bare(settings)?.provide(mailer))
    }

    /// The same, without a mailer.
    pub(crate) fn bare(&self, settings: &[(&str, &str)]) -> Result<App, Refusal> {
        let mut variables = vec![
            ("PALISADE_ENV", "development"),
            ("DATABASE_URL", &self.url),
            ("PALISADE_SECRET_KEY", &self.key),
            ("PALISADE_TRUSTED_PROXIES", "127.0.0.1/32"),
            ("PALISADE_LIMITS__CLIENT", "1000000/s"),
            ("PALISADE_LIMITS__SIGN_IN", "1000000/s"),
            ("PALISADE_LIMITS__SIGN_UP", "1000000/s"),
            ("PALISADE_LIMITS__REFRESH", "1000000/s"),
            ("PALISADE_LIMITS__RECOVERY", "1000000/s"),
            ("PALISADE_LIMITS__AUTH", "1000000/s"),
            ("PALISADE_HANDLER_TIMEOUT", "60s"),
        ];
        variables.retain(|(name, _)| settings.iter().all(|(other, _)| other != name));
        variables.extend_from_slice(settings);
        let sources = Sources::new(self.folder.path(), variables);
        let app = App::from_sources::<()>(&sources)?;
        Ok(app.migrations(crate::TABLES).routes(auth::routes()))
    }

    /// Changes the database itself, as an operator could.
    pub(crate) async fn raw(&self, text: &str) {
        use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
        let text = AssertSqlSafe(text.to_owned());
        let outcome = if self.url.starts_with("sqlite") {
            let connection = sqlx::SqliteConnection::connect(&self.url).await;
            let mut connection = connection.expect("it opens");
            connection.execute(text).await.map(drop)
        } else {
            let connection = sqlx::PgConnection::connect(&self.url).await;
            let mut connection = connection.expect("it opens");
            connection.execute(text).await.map(drop)
        };
        outcome.expect("it is done");
    }

    /// What such a statement counts on PostgreSQL.
    pub(crate) async fn count(&self, text: &'static str) -> i64 {
        use sqlx::{Connection as _, Executor as _, Row as _};
        let connection = sqlx::PgConnection::connect(&self.url).await;
        let mut connection = connection.expect("it opens");
        let row = connection.fetch_one(text).await.expect("it answers");
        row.try_get(0).expect("a number")
    }

    pub(crate) async fn serve(&self, settings: &[(&str, &str)]) -> Served {
        let app = self.app(settings).expect("it is built");
        Served::of(app).await
    }
}

impl Served {
    pub(crate) async fn of(app: App) -> Self {
        let started = app.start().await.expect("it starts");
        let (db, accounts) = (started.db().clone(), started.accounts().clone());
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
            accounts,
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

    /// Sends a request with these headers.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Answer {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\nconnection: close\r\ncontent-length: {}\r\n",
            self.port,
            body.len()
        );
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() {
            head.push_str("content-type: application/json\r\n");
        }
        self.exchange(&format!("{head}\r\n{body}")).await
    }

    /// Sends this request as it is.
    pub(crate) async fn exchange(&self, request: &str) -> Answer {
        let stream = tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await;
        let mut stream = stream.expect("it listens");
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

    /// Calls as a client at this address.
    pub(crate) async fn call_from(
        &self,
        client: &str,
        method: &str,
        path: &str,
        token: &str,
        body: &Value,
    ) -> Answer {
        let bearer = format!("Bearer {token}");
        let mut headers = vec![("x-forwarded-for", client)];
        if !token.is_empty() {
            headers.push(("authorization", bearer.as_str()));
        }
        self.send(method, path, &headers, body).await
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

    /// As if whoever has to wait now had to wait an hour, so that no test depends on how fast it is.
    pub(crate) async fn prolong_locks(&self) {
        let now = Timestamp::now().get();
        let (since, until) = (
            now - std::time::Duration::from_secs(60),
            now + std::time::Duration::from_secs(3_600),
        );
        let locked = sql!(
            "update palisade_sign_in_attempts set blocked_until = {until} where failures >= 5 and blocked_until > {since}"
        );
        assert!(locked.execute(&self.db).await.expect("it is written") > 0);
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.call("POST", path, "", &body).await
    }

    pub(crate) async fn me(&self, token: &str) -> Answer {
        self.call("GET", "/auth/me", token, &Value::Null).await
    }

    /// The account's id, by one of its access tokens.
    pub(crate) async fn id_of(&self, token: &str) -> Id<Account> {
        let id = self.me(token).await.text_of("id");
        let found = sql!("select id from palisade_accounts where id = {uuid(&id)}");
        found.one(&self.db).await.expect("it is there")
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
