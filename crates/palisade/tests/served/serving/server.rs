//! A service of this process on a port of its own, and clients that misbehave.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Extension;
use palisade::config::Sources;
use palisade::event::RequestContext;
use palisade::perimeter::{ClientCertificate, Listeners, Perimeter, Serving, Tls, serve};
use palisade::prelude::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::harness::Answer;

/// Longer than anything here takes on a busy machine.
pub(crate) const LONG: Duration = Duration::from_secs(30);

/// What reached a handler.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub(crate) fn add(&self, what: impl Into<String>) {
        self.0.lock().expect("no panic").push(what.into());
    }

    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("no panic"))
    }
}

#[input]
struct Taken {
    name: Text<1, 2000>,
}

#[output]
struct Word {
    word: String,
}

#[post("/take")]
async fn take(_: Public, log: Service<Log>, Json(new): Json<Taken>) -> Result<Json<Word>> {
    log.add(format!("take {}", new.name.as_str()));
    Ok(Json(Word {
        word: new.name.as_str().to_owned(),
    }))
}

#[get("/mark")]
async fn mark(_: Public, log: Service<Log>) -> Result<Json<Word>> {
    log.add("mark");
    Ok(Json(Word {
        word: "marked".to_owned(),
    }))
}

#[get("/wait")]
async fn wait(_: Public, log: Service<Log>) -> Result<Json<Word>> {
    log.add("wait");
    tokio::time::sleep(Duration::from_millis(700)).await;
    Ok(Json(Word {
        word: "waited".to_owned(),
    }))
}

#[get("/forever")]
async fn forever(_: Public, log: Service<Log>) -> Result<NoContent> {
    log.add("forever");
    std::future::pending().await
}

#[get("/large")]
async fn large(_: Public, log: Service<Log>) -> Result<Json<Word>> {
    log.add("large");
    Ok(Json(Word {
        word: "x".repeat(16 * 1024 * 1024),
    }))
}

#[get("/certificate")]
async fn certificate(_: Public, own: ClientCertificate) -> Result<Json<Word>> {
    Ok(Json(Word {
        word: own.fingerprint(),
    }))
}

pub(crate) struct Server {
    pub(crate) port: u16,
    pub(crate) redirect_port: u16,
    pub(crate) log: Log,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<()>>,
    _folder: tempfile::TempDir,
}

impl Server {
    pub(crate) async fn start(settings: &[(&str, &str)]) -> Self {
        keep_log();
        let folder = tempfile::tempdir().expect("a folder");
        let key = palisade::secret::key::Key::generate_text();
        let url = format!("sqlite:{}", folder.path().join("app.sqlite").display());
        let mut variables = vec![
            ("PALISADE_ENV", "development"),
            ("DATABASE_URL", url.as_str()),
            ("PALISADE_SECRET_KEY", key.expose()),
            // Everybody here is one client.
            ("PALISADE_LIMITS__CLIENT", "1000000/s"),
        ];
        variables.extend_from_slice(settings);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let redirect = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let redirect_port = redirect.local_addr().expect("its address").port();
        let https = port.to_string();
        variables.push(("PORT", &https));
        let log = Log::default();
        let app = App::from_sources::<()>(&Sources::new(folder.path(), variables))
            .and_then(|app| {
                app.migrations(crate::app::THINGS)
                    .routes(routes![take, mark, wait, forever, large, certificate])
                    .provide(log.clone())
                    .build()
            })
            .expect("it is built");
        let started = app.start().await.expect("it starts");
        let listeners = Listeners::from(listener).redirecting(redirect);
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(started.serve(listeners, async {
            let _ = stopped.await;
        }));
        Self {
            port,
            redirect_port,
            log,
            stop: Some(stop),
            serving: Some(serving),
            _folder: folder,
        }
    }

    /// A server whose only route, `/address`, tells what the accept loop knows of the connection.
    pub(crate) async fn probe(settings: &[(&str, &str)]) -> Self {
        keep_log();
        let folder = tempfile::tempdir().expect("a folder");
        let key = palisade::secret::key::Key::generate_text();
        let mut variables = vec![
            ("PALISADE_ENV", "development"),
            ("DATABASE_URL", "sqlite:none"),
            ("PALISADE_SECRET_KEY", key.expose()),
        ];
        variables.extend_from_slice(settings);
        let loaded = palisade::config::load::<()>(&Sources::new(folder.path(), variables));
        let (config, ()) = loaded.finish().expect("the settings are right");
        let tls = config
            .tls
            .as_ref()
            .map(|tls| Tls::load(tls).expect("TLS").0);
        let told = |Extension(context): Extension<Arc<RequestContext>>,
                    certificate: Option<Extension<ClientCertificate>>| async move {
            let certificate = certificate.map(|Extension(own)| own.fingerprint());
            format!(
                "address {} secure {} certificate {}",
                context.client(),
                context.is_secure(),
                certificate.as_deref().unwrap_or("none"),
            )
        };
        let router = axum::Router::new().route("/address", axum::routing::get(told));
        let perimeter = Perimeter::new(&config, &[], router, true);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let serving = Serving::new(&config, tls);
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = serve(listener.into(), perimeter, serving, async {
            let _ = stopped.await;
        });
        Self {
            port,
            redirect_port: 0,
            log: Log::default(),
            stop: Some(stop),
            serving: Some(tokio::spawn(serving)),
            _folder: folder,
        }
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        connect(self.port).await
    }

    /// Sends these bytes, and reads to the end of the connection.
    pub(crate) async fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        // A refusal may come before all is sent.
        let _ = stream.write_all(bytes).await;
        to_end(&mut stream).await
    }

    /// A well-behaved request on a connection of its own.
    pub(crate) async fn get(&self, path: &str) -> String {
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        self.raw(request.as_bytes()).await
    }

    /// Asks it to stop.
    pub(crate) fn stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }

    /// Waits until it has stopped.
    pub(crate) async fn stopped(mut self) {
        self.stop();
        let serving = self.serving.take().expect("it serves");
        timeout(LONG, serving)
            .await
            .expect("it stops in time")
            .expect("it does not panic");
    }

    /// Waits until a handler was reached.
    pub(crate) async fn reached(&self, what: &str) {
        let reached = async {
            while !self.log.take().iter().any(|entry| entry == what) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(LONG, reached).await.expect("it is reached");
    }
}

pub(crate) async fn connect(port: u16) -> TcpStream {
    let stream = timeout(LONG, TcpStream::connect(("127.0.0.1", port))).await;
    stream.expect("in time").expect("it listens")
}

/// What comes until the other side closes, which has to be soon.
pub(crate) async fn to_end(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    let read = timeout(LONG, stream.read_to_end(&mut bytes)).await;
    // A connection that breaks off is closed too.
    let _ = read.expect("the connection is closed in time");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// One answer with a length, off a connection that stays open.
pub(crate) async fn answer(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> String {
    let read = async {
        let mut bytes = Vec::new();
        loop {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head
                    .lines()
                    .find_map(|line| {
                        line.to_lowercase()
                            .strip_prefix("content-length: ")?
                            .parse()
                            .ok()
                    })
                    .unwrap_or(0);
                if body.len() >= length {
                    return text;
                }
            }
            let mut byte = [0; 1024];
            let read = stream.read(&mut byte).await.expect("it answers");
            assert!(read > 0, "closed too early, after {text:?}");
            bytes.extend_from_slice(&byte[..read]);
        }
    };
    timeout(LONG, read).await.expect("it answers in time")
}

/// Every refusal looks like this one: a problem document with all headers.
#[track_caller]
pub(crate) fn assert_problem(answer: &str, status: u16) -> Answer {
    let refused = Answer::parse(answer.as_bytes());
    assert_eq!(refused.status, status, "{answer}");
    refused.is_a_problem(answer);
    refused
}

/// The same for a client that came over plain HTTP where HTTPS is served, which may not be told that it must not.
#[track_caller]
pub(crate) fn assert_plain_problem(answer: &str, status: u16) -> Answer {
    let refused = Answer::parse(answer.as_bytes());
    assert_eq!(refused.status, status, "{answer}");
    refused.has_every_header_of_plain_http(answer);
    refused.problem(answer);
    refused
}

/// Everything that was logged in this process so far.
pub(crate) fn logged() -> String {
    String::from_utf8_lossy(&LOGGED.lock().expect("no panic")).into_owned()
}

static LOGGED: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Keep;

impl std::io::Write for Keep {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOGGED.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Waits until the log holds a line with all of these.
pub(crate) async fn logs(words: &[&str]) {
    let search = async {
        while !logged()
            .lines()
            .any(|line| words.iter().all(|word| line.contains(word)))
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let found = timeout(LONG, search).await;
    assert!(found.is_ok(), "no line with {words:?}");
}

/// Keeps the log of this process, whichever test comes first.
pub(crate) fn keep_log() {
    let _ = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(|| Keep)
        .try_init();
}
