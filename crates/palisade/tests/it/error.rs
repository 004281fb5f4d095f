//! What the caller is told, and what the log alone is told.

use std::io::Write;
use std::sync::{Arc, Mutex};

use http_body_util::BodyExt as _;
use palisade::error::{Error, Result, Violation, problem};
use palisade::event::Event;
use palisade::secret::Secret;
use palisade::secret::key::Key;
use serde_json::{Value, json};

#[problem]
enum Trouble {
    #[problem(
        status = 409,
        title = "The title is taken",
        detail = "Choose another one"
    )]
    TitleTaken,
    #[problem(status = 402, title = "The month is not paid")]
    Unpaid { _account: String },
}

async fn told(error: Error) -> (http::HeaderMap, Value) {
    let (parts, body) = error.into_response("r-1").into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let document: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(document["status"], parts.status.as_u16());
    assert_eq!(parts.headers["content-type"], "application/problem+json");
    assert_eq!(parts.headers["cache-control"], "no-store");
    (parts.headers, document)
}

#[tokio::test]
async fn answers_as_rfc_9457_says() {
    let violation = Violation {
        pointer: "/title".into(),
        code: "too_long".into(),
        detail: "at most 200 characters".into(),
    };
    let (_, document) = told(Error::invalid(vec![violation])).await;
    let expected = json!({
        "type": "urn:palisade:problem:invalid-input", "title": "The input breaks a rule", "status": 422, "request_id": "r-1",
        "errors": [{"pointer": "/title", "code": "too_long", "detail": "at most 200 characters"}],
    });
    assert_eq!(document, expected);
}

#[tokio::test]
async fn answers_an_apps_own_problem_in_its_own_words() {
    fn handler() -> Result<()> {
        Err(Trouble::TitleTaken)?
    }
    let (_, document) = told(handler().unwrap_err()).await;
    let expected = json!({
        "type": "urn:problem:title-taken", "title": "The title is taken", "status": 409, "detail": "Choose another one",
        "request_id": "r-1",
    });
    assert_eq!(document, expected);
    let (_, document) = told(
        Trouble::Unpaid {
            _account: "acct-777".into(),
        }
        .into(),
    )
    .await;
    assert_eq!(document["type"], "urn:problem:unpaid");
    assert!(!document.to_string().contains("acct-777"));
}

#[tokio::test]
async fn says_nothing_of_the_cause() {
    fn handler() -> Result<u8> {
        Ok("no number".parse::<u8>()?)
    }
    let error = handler().unwrap_err();
    assert_eq!(error.causes().unwrap(), "invalid digit found in string");
    let (_, document) = told(error).await;
    let expected = json!({
        "type": "urn:palisade:problem:internal", "title": "Something failed on our side", "status": 500, "request_id": "r-1",
    });
    assert_eq!(document, expected);
}

#[tokio::test]
async fn carries_the_headers_that_the_status_asks_for() {
    let (headers, _) = told(Error::unauthorized()).await;
    assert_eq!(headers["www-authenticate"], "Bearer");
    let (headers, _) = told(Error::too_many_requests(0)).await;
    assert_eq!(headers["retry-after"], "1");
    let (headers, _) = told(Error::method_not_allowed(http::HeaderValue::from_static(
        "GET, HEAD",
    )))
    .await;
    assert_eq!(headers["allow"], "GET, HEAD");
}

#[test]
fn never_looks_like_a_success() {
    for status in [100, 200, 204, 302, 304, 999] {
        let status = http::StatusCode::from_u16(status).unwrap();
        assert_eq!(Error::new(status, "odd", "Odd").status(), 500);
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The lines that `act` logs.
fn logged(act: impl FnOnce()) -> Vec<Value> {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing::Level::DEBUG)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, act);
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn tells_the_log_the_cause_in_one_line() {
    let cause = std::io::Error::other("disk full\nforged line");
    let lines = logged(|| Error::from(cause).log());
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["level"], "ERROR");
    assert_eq!(lines[0]["fields"]["cause"], "disk full forged line");
}

#[test]
fn logs_what_a_client_did_wrong_quietly() {
    let lines = logged(|| Error::not_found().log());
    assert_eq!(lines[0]["level"], "DEBUG");
    assert_eq!(lines[0]["fields"]["kind"], "not-found");
}

#[test]
fn logs_a_503_loudly_when_something_is_away_and_quietly_when_it_was_decided() {
    let away = std::io::Error::other("no route to the database");
    let lines = logged(|| {
        Error::unavailable().caused_by(away).log();
        Error::unavailable().log();
    });
    assert_eq!(lines[0]["level"], "ERROR");
    assert_eq!(lines[1]["level"], "DEBUG");
}

#[test]
fn emits_events_in_owasps_words() {
    let lines = logged(|| {
        Event::SignInFailed { account: None }.emit();
        Event::Denied {
            account: Some(uuid::Uuid::nil()),
            action: "edit",
            resource: "note",
        }
        .emit();
        Event::Started.emit();
    });
    let names: Vec<_> = lines
        .iter()
        .map(|line| line["fields"]["event"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["authn_login_fail", "authz_fail", "sys_startup"]);
    assert!(lines.iter().all(|line| line["target"] == "palisade::event"));
    assert_eq!(
        lines[1]["fields"]["account"],
        "00000000-0000-0000-0000-000000000000"
    );
    assert_eq!(
        (&lines[1]["level"], &lines[2]["level"]),
        (&json!("WARN"), &json!("INFO"))
    );
}

#[test]
fn logs_no_secret_by_its_debug_form() {
    let secret = Secret::from("hush-hush-hush");
    let key = Key::generate();
    let lines = logged(|| tracing::info!(?secret, ?key, "read"));
    assert_eq!(lines[0]["fields"]["secret"], "[redacted]");
    assert_eq!(lines[0]["fields"]["key"], "Key([redacted])");
}
