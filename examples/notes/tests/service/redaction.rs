//! Nothing that a client can send turns up in what the service says of it.

use crate::harness::{PASSWORD, Service};

pub(crate) const MARKS: usize = 31;

/// A word that stands nowhere else, for each place a client can put a secret into.
pub(crate) fn mark(number: usize) -> String {
    format!("MARK{number:02}x9f3")
}

/// Sends every mark once, in requests that succeed, are refused, and fail to be read.
pub(crate) fn send_all(service: &Service) -> Vec<String> {
    let json = ("content-type", "application/json");
    let ann = service.account("ann@example.com");
    let bearer = format!("Bearer {ann}");
    let owner = ("authorization", bearer.as_str());
    let sign_up = |email: &str, password: &str| {
        let body = format!(r#"{{"email":"{email}","password":"{password}"}}"#);
        service.call("POST", "/auth/sign-up", "", &body)
    };
    let sign_in = |email: &str, password: &str| {
        let body = format!(r#"{{"email":"{email}","password":"{password}"}}"#);
        service.call("POST", "/auth/sign-in", "", &body)
    };
    let get = |path: &str, headers: &[(&str, &str)]| service.send("GET", path, headers, b"");
    let post = |headers: &[(&str, &str)], body: &str| {
        service.send("POST", "/notes", headers, body.as_bytes())
    };
    let m = mark;
    let note = |title: &str| {
        format!(
            r#"{{"title":"{title}","body":"<b>{}</b>","stars":1,"tags":[]}}"#,
            mark(31)
        )
    };
    let answers = vec![
        // What an account is made and proved with.
        sign_up(
            &format!("{}@example.com", m(1)),
            &format!("correct horse {}", m(2)),
        ),
        sign_in(
            &format!("{}@example.com", m(1)),
            &format!("correct horse {}", m(2)),
        ),
        sign_in("ann@example.com", &m(3)),
        sign_in(&format!("{}@nowhere.example", m(4)), PASSWORD),
        // Headers that carry credentials, and others.
        get(
            "/auth/me",
            &[("authorization", &format!("Bearer {}", m(5)))],
        ),
        get("/auth/me", &[("authorization", &format!("Basic {}", m(6)))]),
        get(
            "/auth/me",
            &[("authorization", &format!("Bearer {ann}{}", m(7)))],
        ),
        get("/livez", &[("cookie", &format!("session={}", m(8)))]),
        get("/livez", &[("x-api-key", &m(9))]),
        get(
            "/livez",
            &[
                ("user-agent", &m(10)),
                ("referer", &format!("https://x.example/{}", m(11))),
            ],
        ),
        get(
            "/livez",
            &[
                ("x-forwarded-for", &m(12)),
                ("forwarded", &format!("for={}", m(13))),
            ],
        ),
        get(
            "/livez",
            &[("x-request-id", &m(14)), ("traceparent", &m(15))],
        ),
        get(
            "/livez",
            &[("origin", &format!("https://{}.example", m(16)))],
        ),
        get("/livez", &[(&format!("x-{}", m(17)), "1")]),
        post(&[owner, ("content-type", &format!("text/{}", m(18)))], "{}"),
        // The target.
        get(&format!("/{}", m(19)), &[]),
        get(&format!("/notes/{}", m(20)), &[owner]),
        get(&format!("/notes?q={}", m(21)), &[owner]),
        get(&format!("/notes?{}=1", m(22)), &[owner]),
        get(&format!("/notes?after={}", m(23)), &[owner]),
        service.send(&m(24), "/notes", &[], b""),
        service.raw(
            format!(
                "GET /livez HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n",
                m(25)
            )
            .as_bytes(),
        ),
        // The body.
        post(&[owner, json], &format!("{{{}", m(26))),
        post(&[owner, json], &format!(r#"{{"{}":1}}"#, m(27))),
        post(
            &[owner, json],
            &format!(r#"{{"title":"{}","body":1}}"#, m(28)),
        ),
        post(&[owner, json], &note(&m(29))),
        post(
            &[owner, json, ("cookie", "a=b"), ("origin", "null")],
            &note(&m(30)),
        ),
    ];
    let echoes = [m(1), m(14), m(27), m(22), m(29), m(31)];
    for answer in &answers {
        for mark in (1..=MARKS).map(mark).filter(|mark| !echoes.contains(mark)) {
            assert!(
                !answer.text.contains(&mark),
                "{mark} came back: {}",
                answer.text
            );
        }
    }
    vec![ann]
}

#[test]
fn nothing_that_a_client_sent_is_in_the_log() {
    let production = [
        ("PALISADE_ENV", "production"),
        ("PALISADE_ALLOWED_HOSTS", "127.0.0.1"),
        ("PALISADE_TRUSTED_PROXIES", "192.0.2.1"),
        ("PALISADE_AUTH__REQUIRE_VERIFIED_EMAIL", "false"),
    ];
    for environment in [&production[..], &[("PALISADE_ENV", "development")]] {
        for level in ["info", "debug"] {
            let variables = [environment, &[("PALISADE_LOG", level)]].concat();
            let folder = tempfile::tempdir().expect("a folder");
            if environment.len() > 1 {
                Service::migrate(folder.path(), &variables);
            }
            let service = Service::start_on(folder, &variables);
            let secrets = send_all(&service);
            let log = service.stop();
            for event in [
                "authn_login_fail",
                "input_validation_fail",
                "request_refused",
                "malicious_csrf",
                "malicious_host",
                "malicious_forwarding",
                "authn_token_refused",
            ] {
                assert!(log.contains(event), "no {event} in {log}");
            }
            for secret in (1..=MARKS)
                .map(mark)
                .chain(secrets)
                .chain([PASSWORD.to_owned(), "ann@example.com".to_owned()])
            {
                let lower = log.to_lowercase();
                assert!(!lower.contains(&secret.to_lowercase()), "{secret} in {log}");
            }
            if environment.len() > 1 {
                for line in log.lines() {
                    let line: serde_json::Value =
                        serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"));
                    assert!(
                        line["time"].is_string() && line["level"].is_string(),
                        "{line}"
                    );
                }
            }
        }
    }
}
