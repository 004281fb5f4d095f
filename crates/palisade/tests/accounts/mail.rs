//! How mail leaves: no request waits for it, none is lost at an orderly end, and nothing of it gets into a log.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use palisade::auth::Templates;
use palisade::auth::{English, Message};
use palisade::mail::{Letter, Mail, MailError, Mailer, Sending};
use palisade::prelude::*;
use serde_json::{Value, json};

use crate::harness::{Captured, PASSWORD, Served, place, places};

/// Keeps every mail until its gate is opened.
#[derive(Debug, Default)]
struct Gated {
    gate: tokio::sync::Notify,
    sent: Captured,
}

impl Mailer for Gated {
    fn send<'a>(&'a self, mail: &'a Mail) -> Sending<'a> {
        Box::pin(async move {
            self.gate.notified().await;
            self.gate.notify_one();
            self.sent.send(mail).await
        })
    }
}

/// Fails so often, then works.
#[derive(Debug)]
struct Failing(Mutex<u32>, Captured);

impl Mailer for Failing {
    fn send<'a>(&'a self, mail: &'a Mail) -> Sending<'a> {
        let mut left = self.0.lock().expect("not poisoned");
        if *left > 0 {
            *left -= 1;
            return Box::pin(async { Err(MailError::Later("away".into())) });
        }
        drop(left);
        self.1.send(mail)
    }
}

fn provided(app: App, mailer: &Arc<impl Mailer + 'static>) -> App {
    let mailer = Arc::clone(mailer) as Arc<dyn Mailer>;
    app.provide(mailer).build().expect("it is built")
}

#[tokio::test(flavor = "multi_thread")]
async fn is_waited_for_by_no_request_and_sent_before_the_end() {
    let place = place().await;
    let mailer = Arc::new(Gated::default());
    let app = provided(place.bare(&[]).expect("its settings"), &mailer);
    let served = Served::of(app).await;
    // More than are handed over at the same time, and none of them is.
    for number in 0..12 {
        let answer = served
            .sign_up(&format!("n{number}@example.org"), PASSWORD)
            .await;
        assert_eq!(answer.status, 201);
    }
    assert_eq!(mailer.sent.count("n0@example.org"), 0);
    let ending = tokio::spawn(served.stop());
    mailer.gate.notify_one();
    ending.await.expect("it ends");
    for number in 0..12 {
        assert_eq!(
            mailer.sent.count(&format!("n{number}@example.org")),
            1,
            "{number}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn is_tried_again_and_once_more_at_the_end() {
    let place = place().await;
    let mailer = Arc::new(Failing(Mutex::new(1), Captured::default()));
    let app = provided(place.bare(&[]).expect("its settings"), &mailer);
    let served = Served::of(app).await;
    served.sign_up("ann@example.org", PASSWORD).await;
    mailer.1.next("ann@example.org", "Confirm").await;

    *mailer.0.lock().expect("not poisoned") = 3;
    served.sign_up("bob@example.org", PASSWORD).await;
    // It waits for half a minute by now, or will.
    let begun = Instant::now();
    while *mailer.0.lock().expect("not poisoned") > 1 {
        assert!(begun.elapsed().as_secs() < 30);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    *mailer.0.lock().expect("not poisoned") = 0;
    served.stop().await;
    assert_eq!(mailer.1.count("bob@example.org"), 1);
}

#[derive(Debug)]
struct Ours;

impl Templates for Ours {
    fn letter(&self, message: &Message<'_>) -> Letter {
        match message {
            Message::Reset(link) => Letter::new(
                "Neues Passwort\r\nBcc: eve@example.org",
                format!("Hier: {link}"),
            ),
            other => English.letter(other),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn says_what_the_app_says_and_leads_to_its_pages() {
    let place = place().await;
    let base = ("PALISADE_MAIL__LINK_BASE", "https://app.example.org/");
    let app = place.bare(&[base]).expect("its settings");
    let app = app.provide(Arc::new(Ours) as Arc<dyn Templates>);
    let served = Served::of(provided(app, &Arc::new(place.mails.clone()))).await;
    served.sign_up("ann@example.org", PASSWORD).await;
    let mail = place.mails.next("ann@example.org", "Confirm").await;
    assert!(
        mail.body()
            .contains("https://app.example.org/verify#token="),
        "{}",
        mail.body()
    );
    served
        .post("/auth/reset", json!({"email": "ann@example.org"}))
        .await;
    let mail = place.mails.next("ann@example.org", "Neues Passwort").await;
    assert_eq!(mail.subject(), "Neues Passwort Bcc: eve@example.org");
    assert!(
        mail.body()
            .starts_with("Hier: https://app.example.org/reset#token=")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn is_shown_to_the_developer_at_this_machine_alone() {
    let place = place().await;
    let settings = [("PALISADE_TRUSTED_PROXIES", "10.0.0.0/8")];
    let app = place
        .bare(&settings)
        .expect("its settings")
        .build()
        .expect("it is built");
    let served = Served::of(app).await;
    // The harness says that it speaks for another client, as a proxy or a tunnel would.
    served.sign_up("ann@example.org", PASSWORD).await;
    let forwarded = served.call("GET", "/dev/inbox", "", &Value::Null).await;
    assert_eq!(forwarded.status, 404);
    let begun = Instant::now();
    loop {
        let request = format!(
            "GET /dev/inbox HTTP/1.1\r\nhost: 127.0.0.1:{}\r\nconnection: close\r\n\r\n",
            served.port
        );
        let page = served.exchange(&request).await;
        assert_eq!(page.status, 200, "{}", page.text);
        assert_eq!(
            page.header("content-type"),
            Some("text/plain; charset=utf-8")
        );
        assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
        if page.text.contains("To: ann@example.org") {
            let token = crate::harness::token_of(&page.text);
            let verified = served.post("/auth/verify", json!({"token": token})).await;
            assert_eq!(verified.status, 204);
            break;
        }
        assert!(begun.elapsed().as_secs() < 30, "{}", page.text);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    served.stop().await;
    // Where the app sends mail itself there is no such page.
    let served = place.serve(&settings).await;
    let request = format!(
        "GET /dev/inbox HTTP/1.1\r\nhost: 127.0.0.1:{}\r\nconnection: close\r\n\r\n",
        served.port
    );
    assert_eq!(served.exchange(&request).await.status, 404);
}

fn production<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut all = vec![
        ("PALISADE_ENV", "production"),
        ("PALISADE_ALLOWED_HOSTS", "127.0.0.1"),
    ];
    all.extend_from_slice(more);
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn is_needed_in_production_where_addresses_are_verified() {
    let place = place().await;
    let app = place.bare(&production(&[])).expect("its settings");
    let said = app.build().expect_err("nothing sends mail").to_string();
    assert!(said.contains("nothing here sends mail"), "{said}");
    for word in [
        "PALISADE_MAIL__HOST",
        "mail.from",
        "Mailer",
        "auth.require_verified_email = false",
    ] {
        assert!(said.contains(word), "{said}");
    }
    let off = production(&[("PALISADE_AUTH__REQUIRE_VERIFIED_EMAIL", "false")]);
    place
        .bare(&off)
        .expect("its settings")
        .build()
        .expect("nothing needs mail");
    place
        .app(&production(&[]))
        .expect("the app sends it itself");
    let verified = [("PALISADE_AUTH__REQUIRE_VERIFIED_EMAIL", "true")];
    let app = place.bare(&verified).expect("its settings");
    app.build().expect("in development the developer sees it");
}

#[tokio::test(flavor = "multi_thread")]
async fn is_refused_where_there_is_none() {
    let place = place().await;
    Served::of(place.app(&[]).expect("it is built"))
        .await
        .stop()
        .await;
    let off = production(&[("PALISADE_AUTH__REQUIRE_VERIFIED_EMAIL", "false")]);
    let app = place
        .bare(&off)
        .expect("its settings")
        .build()
        .expect("it is built");
    let served = Served::of(app).await;
    let secure = "x-forwarded-proto: https\r\n";
    let ask = async |path: &str, body: &str| {
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n{secure}content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        served.exchange(&request).await
    };
    let body = json!({"email": "ann@example.org"}).to_string();
    for path in ["/auth/reset", "/auth/verify/resend"] {
        let answer = ask(path, &body).await;
        assert_eq!(answer.status, 501, "{path}: {}", answer.text);
        assert_eq!(answer.json()["type"], "urn:palisade:problem:no-mail");
    }
    let credentials = json!({"email": "ann@example.org", "password": PASSWORD}).to_string();
    assert_eq!(ask("/auth/sign-up", &credentials).await.status, 201);
    assert_eq!(ask("/auth/sign-in", &credentials).await.status, 200);
}

#[test]
fn wants_whole_settings() {
    let said = |settings: &[(&str, &str)]| {
        let key = palisade::secret::key::Key::generate_text();
        let mut all = vec![
            ("PALISADE_ENV", "development"),
            ("DATABASE_URL", "sqlite:x"),
            ("PALISADE_SECRET_KEY", key.expose().as_str()),
        ];
        all.extend_from_slice(settings);
        let sources = palisade::config::Sources::new("/nowhere", all);
        palisade::config::load::<()>(&sources).refusal.to_string()
    };
    let host = ("PALISADE_MAIL__HOST", "smtp.example.org");
    let from = ("PALISADE_MAIL__FROM", "Notes <notes@example.org>");
    assert!(said(&[host]).contains("needs `mail.from` too"));
    assert!(
        said(&[host, from, ("PALISADE_MAIL__USER", "notes")]).contains("needs `mail.password` too")
    );
    let built = said(&[host, from]).contains("built without SMTP");
    assert_eq!(built, !cfg!(feature = "smtp"));
    assert!(said(&[("PALISADE_MAIL__TLS", "none")]).contains("mail without TLS is not sent"));
    assert!(
        said(&[(
            "PALISADE_MAIL__FROM",
            "A\r\nBcc: b@example.org <a@example.org>"
        )])
        .contains("PALISADE_MAIL__FROM")
    );
    let plain = [
        ("PALISADE_ENV", "production"),
        ("PALISADE_MAIL__LINK_BASE", "http://app.example.org"),
    ];
    assert!(said(&plain).contains("comes without TLS"));
    assert!(
        said(&[("PALISADE_AUTH__RESET_LIFETIME", "2h")]).contains("PALISADE_AUTH__RESET_LIFETIME")
    );
}

/// Everything that is logged in this process.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0
            .lock()
            .expect("not poisoned")
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn leaves_no_token_in_a_log_nor_in_the_database() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).expect("the first of this program");
    for place in places().await {
        let served = place.serve(&[]).await;
        let email = "ann@example.org";
        let access = served.account(email).await.text_of("access_token");
        served.post("/auth/reset", json!({"email": email})).await;
        let body = json!({"email": "new@example.org", "password": PASSWORD});
        served.call("POST", "/auth/email", &access, &body).await;
        let tokens = [
            place.mails.token(email, "Confirm").await,
            place.mails.token(email, "Choose another").await,
            place.mails.token(email, "about to change").await,
            place.mails.token("new@example.org", "Confirm").await,
        ];
        let kept: Vec<Vec<u8>> = sql!("select token_hash from palisade_mail_tokens")
            .at_most(100, &served.db)
            .await
            .expect("read");
        assert_eq!(kept.len(), 4);
        for token in &tokens {
            let hash = palisade::secret::token::Token::parse(token)
                .expect("a token")
                .hash();
            assert!(kept.iter().any(|kept| *kept == hash), "on {}", place.name);
            // Used, and presented where it is none.
            for path in ["/auth/verify", "/auth/email/confirm", "/auth/email/cancel"] {
                served.post(path, json!({"token": token})).await;
            }
            let body = json!({"token": token, "password": "seven other silver spoons"});
            served.post("/auth/reset/confirm", body).await;
        }
        served.stop().await;
        let said = String::from_utf8_lossy(&log.0.lock().expect("not poisoned")).into_owned();
        assert!(said.contains("authn_recovery_refused") && said.contains("user_updated"));
        for token in tokens {
            assert!(!said.contains(&token), "a token was logged");
        }
    }
}
