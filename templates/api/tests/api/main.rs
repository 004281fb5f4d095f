//! The service as its clients see it: a real process, a fresh database, calls over HTTP.

mod server;

use serde_json::json;
use server::Server;

const PASSWORD: &str = "tidy-otters-map-the-river";

/// Makes an account and answers its access token.
fn sign_in(server: &Server, email: &str) -> String {
    let credentials = json!({ "email": email, "password": PASSWORD });
    let (status, _) = server.call("POST", "/auth/sign-up", None, Some(&credentials));
    assert_eq!(status, 201);
    let (status, answer) = server.call("POST", "/auth/sign-in", None, Some(&credentials));
    assert_eq!(status, 200);
    answer["access_token"].as_str().unwrap().to_owned()
}

/// Writes a note and answers its path.
fn write(server: &Server, token: &str, title: &str) -> String {
    let note = json!({ "title": title, "body": "<p>text</p>" });
    let (status, answer) = server.call("POST", "/notes", Some(token), Some(&note));
    assert_eq!(status, 201, "{answer}");
    format!("/notes/{}", answer["id"].as_str().unwrap())
}

#[test]
fn every_statement_fits_the_schema() {
    let server = Server::prepare();
    assert!(server.run("migrate"));
    assert!(server.run("check"));
}

#[test]
fn an_owner_writes_reads_changes_and_deletes() {
    let server = Server::start();
    let ada = sign_in(&server, "ada@example.com");
    let path = write(&server, &ada, "First");

    let (status, page) = server.call("GET", "/notes", Some(&ada), None);
    assert_eq!((status, page["items"].as_array().unwrap().len()), (200, 1));

    let change = json!({ "title": "Second" });
    let (status, note) = server.call("PATCH", &path, Some(&ada), Some(&change));
    assert_eq!((status, &note["title"]), (200, &json!("Second")));
    assert_eq!(note["body"], "<p>text</p>");

    let (status, _) = server.call("DELETE", &path, Some(&ada), None);
    assert_eq!(status, 204);
    let (status, _) = server.call("GET", &path, Some(&ada), None);
    assert_eq!(status, 404);
}

#[test]
fn nobody_else_learns_of_a_note() {
    let server = Server::start();
    let ada = sign_in(&server, "ada@example.com");
    let bob = sign_in(&server, "bob@example.com");
    let path = write(&server, &ada, "Private");

    let change = json!({ "title": "Bob was here" });
    for (method, body) in [("GET", None), ("PATCH", Some(&change)), ("DELETE", None)] {
        let (status, _) = server.call(method, &path, Some(&bob), body);
        assert_eq!(status, 404, "{method}");
    }
    let (_, page) = server.call("GET", "/notes", Some(&bob), None);
    assert_eq!(page["items"], json!([]));
    let (status, note) = server.call("GET", &path, Some(&ada), None);
    assert_eq!((status, &note["title"]), (200, &json!("Private")));
}

#[test]
fn a_stranger_is_asked_to_sign_in() {
    let server = Server::start();
    let note = json!({ "title": "x", "body": "y" });
    for (method, path, body) in [
        ("GET", "/notes", None),
        ("POST", "/notes", Some(&note)),
        ("GET", "/notes/0190163d-8694-739b-aea5-966c26f8ad91", None),
    ] {
        let (status, _) = server.call(method, path, None, body);
        assert_eq!(status, 401, "{method} {path}");
    }
}

#[test]
fn what_is_not_declared_or_out_of_bounds_is_refused() {
    let server = Server::start();
    let ada = sign_in(&server, "ada@example.com");
    for note in [
        json!({ "title": "", "body": "x" }),
        json!({ "title": "x".repeat(201), "body": "x" }),
        json!({ "title": "x" }),
        json!({ "title": "x", "body": "x", "owner_id": "0190163d-8694-739b-aea5-966c26f8ad91" }),
        json!({ "title": { "$gt": "" }, "body": "x" }),
    ] {
        let (status, _) = server.call("POST", "/notes", Some(&ada), Some(&note));
        assert_eq!(status, 422, "{note}");
    }
}

#[test]
fn scripts_are_taken_out_of_a_body() {
    let server = Server::start();
    let ada = sign_in(&server, "ada@example.com");
    let note = json!({ "title": "x", "body": "<p>hi<script>steal()</script></p>" });
    let (status, answer) = server.call("POST", "/notes", Some(&ada), Some(&note));
    assert_eq!((status, &answer["body"]), (201, &json!("<p>hi</p>")));
}
