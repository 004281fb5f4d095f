//! One connection from its first byte to its last.

use std::convert::Infallible;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::Body;
use http::{HeaderValue, Request, Version, header};
use http_body::Body as _;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::time::{Instant, sleep_until, timeout};

use super::answer;
use super::framing::MAX_HEAD;
use super::gate::Gate;
use super::opening::{prepare, secure};
use super::places::Place;
use super::pulse::{Clock, Due, Pulse};
use super::socket::{Socket, Stream};
use super::under_way::{Chunked, UnderWay};
use super::{House, Role, Stage, Stop};
use crate::perimeter::Connection;

/// A body's part that a client may send before the handler reads: of one stream, and of a connection.
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 256 * 1024;

/// Serves it to its end.
pub(super) async fn drive(
    mut socket: Socket,
    mut connection: Connection,
    mut place: Place,
    house: Arc<House>,
    role: Role,
    mut stop: Stop,
) {
    let _counted = house.perimeter.connected();
    let prepared = tokio::select! {
        prepared = prepare(&mut socket, &mut connection, &house) => prepared,
        () = stop.draining() => return,
    };
    if !matches!(prepared, Ok(true)) {
        return;
    }
    // The balancer's own address has no limit; who comes through it does.
    if let Some(source) = connection.source
        && !place.claim(source)
    {
        if house.tls.is_none() || role == Role::Redirect {
            answer::turn_away(socket, &house.perimeter, &connection, role).await;
        }
        return;
    }
    // Counted for its client first, so that silence behind a balancer has no more places than silence before it.
    if socket.ahead().is_empty() {
        let spoken = tokio::select! {
            spoken = timeout(house.limits.first_byte_timeout, socket.look()) => spoken,
            () = stop.draining() => return,
        };
        if !matches!(spoken, Ok(Ok(true))) {
            return;
        }
    }
    let secured = tokio::select! {
        secured = secure(socket, &mut connection, &house, role) => secured,
        () = stop.draining() => return,
    };
    let Some((stream, role, http2)) = secured else {
        return;
    };
    let connection = Arc::new(connection);
    if http2 {
        serve_http2(stream, connection, &house, role, stop).await;
    } else {
        serve_http1(stream, connection, &house, role, stop).await;
    }
}

async fn serve_http1(
    stream: Stream,
    connection: Arc<Connection>,
    house: &Arc<House>,
    role: Role,
    stop: Stop,
) {
    let pulse = Arc::new(Pulse::new());
    let (perimeter, told) = (Arc::clone(&house.perimeter), Arc::clone(&connection));
    let gate = Gate::new(stream, false, Arc::clone(&pulse), move |flaw| {
        answer::to_flaw(&perimeter, &told, role, flaw)
    });
    let service = service_fn(|request| answered(request, house, &connection, role, &pulse));
    let connection = http1::Builder::new()
        // It has room for a hundred headers on its stack, and would make room for any other number anew for each request: the
        // gate counts them.
        .max_buf_size(2 * MAX_HEAD)
        .serve_connection(TokioIo::new(gate), service);
    run(
        connection,
        |open| open.graceful_shutdown(),
        &pulse,
        house,
        stop,
    )
    .await;
}

async fn serve_http2(
    stream: Stream,
    connection: Arc<Connection>,
    house: &Arc<House>,
    role: Role,
    stop: Stop,
) {
    let pulse = Arc::new(Pulse::new());
    let gate = Gate::new(stream, true, Arc::clone(&pulse), |_| bytes::Bytes::new());
    let service = {
        let (house, pulse) = (Arc::clone(house), Arc::clone(&pulse));
        service_fn(move |request| {
            let (house, pulse) = (Arc::clone(&house), Arc::clone(&pulse));
            let connection = Arc::clone(&connection);
            async move { answered(request, &house, &connection, role, &pulse).await }
        })
    };
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(100)
        // What is above our own limit but below this one gets our own answer.
        .max_header_list_size(2 * MAX_HEAD as u32)
        // "Rapid reset" (CVE-2023-44487), and resets that our own refusals cause (CVE-2025-8671).
        .max_pending_accept_reset_streams(20)
        .max_local_error_reset_streams(64)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(STREAM_WINDOW as usize)
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(10))
        .serve_connection(TokioIo::new(gate), service);
    run(
        connection,
        |open| open.graceful_shutdown(),
        &pulse,
        house,
        stop,
    )
    .await;
}

/// Polls a connection until it ends, the clock says that it has to, or the service does.
async fn run<C: Future>(
    connection: C,
    close: impl Fn(Pin<&mut C>),
    pulse: &Arc<Pulse>,
    house: &House,
    mut stop: Stop,
) {
    let mut clock = Clock::new();
    let (_, next) = clock.look(pulse, &house.limits);
    let mut alarm = pin!(sleep_until(Instant::now() + next));
    let mut connection = pin!(connection);
    let mut draining = false;
    loop {
        tokio::select! {
            biased;
            _ = connection.as_mut() => return,
            () = alarm.as_mut() => {
                let (due, next) = clock.look(pulse, &house.limits);
                alarm.as_mut().reset(Instant::now() + next);
                match due {
                    Due::Nothing => {}
                    Due::Close => close(connection.as_mut()),
                    Due::Refuse => {
                        pulse.refuse(super::pulse::Flaw::TooSlow);
                        close(connection.as_mut());
                    }
                    Due::Cut => return,
                }
            }
            () = stop.next() => match stop.stage() {
                Stage::Serving => {}
                Stage::Draining if !draining => {
                    draining = true;
                    close(connection.as_mut());
                }
                Stage::Draining => {}
                Stage::Ending => return,
            },
        }
    }
}

async fn answered(
    request: Request<hyper::body::Incoming>,
    house: &Arc<House>,
    connection: &Arc<Connection>,
    role: Role,
    pulse: &Arc<Pulse>,
) -> Result<http::Response<UnderWay>, Infallible> {
    let call = pulse.call();
    let framed = request.version() == Version::HTTP_2;
    if framed {
        pulse.has_room().await;
    }
    let mut unread = None;
    let mut response = match role {
        Role::Redirect => house
            .redirect
            .answer(&house.perimeter, connection, &request),
        Role::App => {
            let chunked = !framed && request.headers().contains_key(header::TRANSFER_ENCODING);
            let mut request = request.map(|body| {
                if chunked {
                    let (body, read) = Chunked::new(body);
                    unread = Some(read);
                    Body::new(body)
                } else if body.is_end_stream() {
                    Body::empty()
                } else {
                    Body::new(body)
                }
            });
            if let Some(certificate) = &connection.client_certificate {
                request.extensions_mut().insert(certificate.clone());
            }
            house.perimeter.pass(connection, request).await
        }
    };
    if pulse.is_unread() || unread.is_some_and(|read| !read.load(Ordering::Relaxed)) {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    Ok(response.map(|body| UnderWay::new(body, call, framed)))
}
