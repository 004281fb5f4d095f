//! The accept loop: header timer, limits of the HTTP parser, graceful end.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;

use super::{Connection, Perimeter};

/// A client has this long to send the head of a request.
const HEAD: Duration = Duration::from_secs(10);
/// Requests that are under way have this long to end.
const DRAIN: Duration = Duration::from_secs(20);

/// Serves until `stop` is done, then lets what is under way end.
pub async fn serve(listener: TcpListener, perimeter: Perimeter, stop: impl Future<Output = ()>) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_headers(64)
        .max_buf_size(16 * 1024);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(16 * 1024)
        .max_concurrent_streams(100);
    let builder = Arc::new(builder);
    let perimeter = Arc::new(perimeter);
    let graceful = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of file descriptors, mostly: wait for some to be given back.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            () = &mut stop => break,
        };
        let _ = stream.set_nodelay(true);
        let (perimeter, builder) = (Arc::clone(&perimeter), Arc::clone(&builder));
        let peer = Arc::new(Connection {
            peer: peer.ip(),
            secure: false,
        });
        let watcher = graceful.watcher();
        tokio::spawn(async move {
            let _counted = perimeter.connected();
            let service =
                hyper::service::service_fn(move |request: http::Request<hyper::body::Incoming>| {
                    let (perimeter, peer) = (Arc::clone(&perimeter), Arc::clone(&peer));
                    async move {
                        Ok::<_, std::convert::Infallible>(
                            perimeter.pass(&peer, request.map(Body::new)).await,
                        )
                    }
                });
            let connection = builder
                .serve_connection(TokioIo::new(stream), service)
                .into_owned();
            // What fails here is the client's side of the connection.
            let _ = watcher.watch(connection).await;
        });
    }
    drop(listener);
    if tokio::time::timeout(DRAIN, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("some requests did not end in time and were cut off");
    }
}
