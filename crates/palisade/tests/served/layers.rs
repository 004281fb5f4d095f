//! Layers of the app itself: inside the perimeter, and unable to weaken it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use palisade::app::Stage;
use tower_http::compression::CompressionLayer;
use tower_http::trace::TraceLayer;

use crate::harness::Server;

const BODY: &str = r#"{"name":"a name that is long enough to be worth it"}"#;

#[test]
fn compresses_and_traces_and_keeps_every_header() {
    let server = Server::start_with(
        &[("PALISADE_CORS__ORIGINS", "https://app.example.org")],
        |app| {
            app.layer_at(Stage::Admitted, CompressionLayer::new())
                .layer_at(Stage::Admitted, TraceLayer::new_for_http())
        },
    );
    let plain = server.call("POST", "/echo", &[], BODY);
    assert_eq!(
        (plain.status, plain.header("content-encoding")),
        (200, None)
    );
    let small = server.call("POST", "/echo", &[("accept-encoding", "gzip")], BODY);
    assert_eq!(
        small.header("content-encoding"),
        Some("gzip"),
        "{}",
        small.status
    );
    assert_eq!(small.header("vary"), Some("origin, accept-encoding"));
    small.has_every_header("compressed");
}

async fn loosens(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for name in [
        "x-frame-options",
        "content-security-policy",
        "cache-control",
        "server",
    ] {
        response
            .headers_mut()
            .insert(name, http::HeaderValue::from_static("loosened"));
    }
    response
}

async fn panics(request: Request, next: Next) -> Response {
    assert!(request.uri().path() != "/limited", "MARKED");
    next.run(request).await
}

#[test]
fn cannot_loosen_a_header_or_end_more_than_its_request() {
    let server = Server::start_with(&[], |app| {
        app.layer_at(Stage::Matched, from_fn(loosens))
            .layer_at(Stage::Admitted, from_fn(panics))
    });
    let answer = server.get("/livez", &[]);
    assert_eq!(answer.status, 200);
    answer.has_every_header("loosened");
    let broken = server.get("/limited", &[]);
    assert_eq!(broken.status, 500);
    broken.is_a_problem("a panic of a layer");
    assert!(!broken.text.contains("MARKED"), "{}", broken.text);
    assert_eq!(server.get("/livez", &[]).status, 200);
}

#[test]
fn stands_where_its_stage_says() {
    let (admitted, matched) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let count = |counter: &Arc<AtomicUsize>| {
        let counter = Arc::clone(counter);
        from_fn(move |request: Request, next: Next| {
            counter.fetch_add(1, Ordering::Relaxed);
            next.run(request)
        })
    };
    let layers = (count(&admitted), count(&matched));
    let server = Server::start_with(&[], move |app| {
        app.layer_at(Stage::Admitted, layers.0)
            .layer_at(Stage::Matched, layers.1)
    });
    let seen = || {
        (
            admitted.load(Ordering::Relaxed),
            matched.load(Ordering::Relaxed),
        )
    };
    assert_eq!(server.get("/livez", &[]).status, 200);
    assert_eq!(seen(), (1, 1));
    assert_eq!(server.get("/nowhere", &[]).status, 404);
    assert_eq!(seen(), (2, 1));
    assert_eq!(
        server.get("/livez", &[("host", "evil.example")]).status,
        421
    );
    assert_eq!(
        seen(),
        (2, 1),
        "what the perimeter refuses reaches no layer"
    );
}
