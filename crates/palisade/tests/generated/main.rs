//! What `palisade generate resource` writes for a field of every kind: its own tests, on PostgreSQL where there is one.
//!
//! A test of the command compares these files with what it writes.

mod everythings;
mod everythings_tests;
#[path = "../accounts/harness.rs"]
#[allow(dead_code, reason = "written for the tests of accounts")]
mod harness;
mod server;

use palisade::db::Migrations;
use serde_json::json;
use server::Server;

/// Makes an account and answers its access token.
fn sign_in(server: &Server, email: &str) -> String {
    let credentials = json!({ "email": email, "password": harness::PASSWORD });
    let (status, _) = server.call("POST", "/auth/sign-up", None, Some(&credentials));
    assert_eq!(status, 201);
    let (status, answer) = server.call("POST", "/auth/sign-in", None, Some(&credentials));
    assert_eq!(status, 200);
    answer["access_token"].as_str().unwrap().to_owned()
}

/// The tables of the harness's own app, which is not started here.
const TABLES: Migrations = Migrations::of_app(&[]);
