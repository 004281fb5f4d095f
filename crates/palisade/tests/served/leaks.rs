//! What goes wrong inside stays inside.

use crate::harness::Server;

#[test]
fn a_panic_a_failed_statement_and_a_slow_handler_leak_nothing() {
    let server = Server::start(&[("PALISADE_HANDLER_TIMEOUT", "300ms")]);
    for (method, path, status) in [
        ("GET", "/panic", 500),
        ("POST", "/twice", 500),
        ("GET", "/slow", 504),
    ] {
        let answer = server.call(method, path, &[], "");
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
        for leak in [
            "MARKED", ".rs", "select", "insert", "things", "UNIQUE", "unique", "panicked", "sqlx",
        ] {
            assert!(!answer.text.contains(leak), "{path}: {}", answer.text);
        }
        answer.is_a_problem("500 and 504 look like all others");
    }
    let alive = server.call("GET", "/livez", &[], "");
    assert_eq!(alive.status, 200, "one panic ends one request");
}
