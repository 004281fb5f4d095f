//! Pages that stand in the code.

use crate::harness::Server;

#[test]
fn a_page_runs_the_scripts_that_stand_in_it_and_nothing_else() {
    let server = Server::start(&[]);
    let page = server.get("/page", &[]);
    assert_eq!(page.status, 200);
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert_eq!(
        page.text,
        "<!doctype html><title>A page</title><script>start()</script>"
    );
    let api = server.get("/livez", &[]);
    for (name, value) in &api.headers {
        let differs = [
            "content-type",
            "content-length",
            "content-security-policy",
            "x-request-id",
        ];
        if !differs.contains(&name.as_str()) && name != "date" {
            assert_eq!(page.header(name), Some(value.as_str()), "{name}");
        }
    }
    assert_eq!(
        page.header("content-security-policy"),
        Some(
            "default-src 'none'; script-src 'sha256-DIm7WJS6ZKDYe5qFLPy+h4JFI9Bol5QmYC57mt3Fb00='; style-src 'none'; img-src 'self' data:; connect-src 'self'; \
             form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
        )
    );
}
