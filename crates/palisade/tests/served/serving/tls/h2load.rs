//! `h2load` of nghttp2: another hand's HTTP/2, many streams on many connections at once.

use std::io::ErrorKind;
use std::process::Command;

use super::{Files, authority, issue};
use crate::serving::server::Server;

const REQUESTS: usize = 2000;

/// Sends them all by these arguments; what it says of them, or nothing where it is not installed.
async fn load(arguments: &[&str], url: &str) -> Option<String> {
    let mut command = Command::new("h2load");
    command.args(["-n", &REQUESTS.to_string(), "-c", "8"]);
    command.args(arguments).arg(url);
    let output = tokio::task::spawn_blocking(move || command.output()).await;
    match output.expect("no panic") {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(output.status.success(), "{output:?}");
            Some(said)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            assert!(
                std::env::var_os("CI").is_none(),
                "h2load is missing: install nghttp2-client"
            );
            println!("skipped: h2load (of nghttp2-client) is not installed");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// Checks that each request was answered with 200 and reached its handler.
async fn check(server: &Server, arguments: &[&str], url: &str, words: &str) {
    server.log.take();
    let Some(said) = load(arguments, url).await else {
        return;
    };
    let all = format!(
        "requests: {REQUESTS} total, {REQUESTS} started, {REQUESTS} done, {REQUESTS} succeeded, 0 failed, 0 errored, 0 timeout"
    );
    let statuses = format!("status codes: {REQUESTS} 2xx, 0 3xx, 0 4xx, 0 5xx");
    for words in [&all, &statuses, words] {
        assert!(said.contains(words), "no {words:?} in {said}");
    }
    assert_eq!(server.log.take().len(), REQUESTS, "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn gets_every_answer_over_plain_http2() {
    let server = Server::start(&[]).await;
    let url = |path: &str| format!("http://127.0.0.1:{}{path}", server.port);
    check(
        &server,
        &["-m", "50"],
        &url("/mark"),
        "Application protocol: h2c",
    )
    .await;
    check(
        &server,
        &["--h1", "-m", "4"],
        &url("/mark"),
        "Application protocol: http/1.1",
    )
    .await;
    let folder = tempfile::tempdir().expect("a folder");
    let body = folder.path().join("body.json");
    std::fs::write(&body, r#"{"name":"a"}"#).expect("written");
    let body = body.display().to_string();
    let post = [
        "-m",
        "50",
        "-d",
        &body,
        "-H",
        "content-type: application/json",
    ];
    check(&server, &post, &url("/take"), "Application protocol: h2c").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gets_every_answer_over_tls() {
    let server = Files::new(&issue(&authority(), |_| {})).serve(&[]).await;
    let url = format!("https://localhost:{}/mark", server.port);
    check(&server, &["-m", "50"], &url, "Application protocol: h2").await;
    check(&server, &["-m", "50"], &url, "TLS Protocol: TLSv1.3").await;
    check(
        &server,
        &["--h1", "-m", "4"],
        &url,
        "Application protocol: http/1.1",
    )
    .await;
}
