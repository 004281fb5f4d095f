//! Answers that are written without the HTTP library: to what was no request, and to who found no place.

use bytes::{BufMut as _, Bytes, BytesMut};
use futures_util::FutureExt as _;
use http::{Response, header};
use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Duration, timeout};

use super::socket::Socket;
use super::{Role, redirect};
use crate::error::Error;
use crate::event::Event;
use crate::perimeter::{Connection, Perimeter};

use super::pulse::Flaw;

/// How long a client that is turned away may take to read why.
const FAREWELL: Duration = Duration::from_secs(1);

/// The answer to what was no request: a problem document like any other, and the end of the connection.
pub(super) fn to_flaw(
    perimeter: &Perimeter,
    connection: &Connection,
    role: Role,
    flaw: Flaw,
) -> Bytes {
    let reason = flaw.reason();
    let response = perimeter.answer(connection, None, |_| {
        Event::RequestMalformed { reason }.emit();
        perimeter.counted_in_limit(|| Err(flaw.error()))
    });
    written(response, role)
}

/// Turns a connection away that found no place.
pub(super) async fn turn_away(
    mut socket: Socket,
    perimeter: &Perimeter,
    connection: &Connection,
    role: Role,
) {
    let response = perimeter.answer(connection, None, |_| Err(Error::unavailable()));
    say(&mut socket, &written(response, role)).await;
}

/// Says this, and waits a moment for the client to leave: a connection that is closed before all was read breaks, and the
/// client may lose the answer.
pub(super) async fn say(socket: &mut Socket, answer: &[u8]) {
    let farewell = async {
        socket.write_all(answer).await?;
        socket.shutdown().await?;
        let mut piece = [0; 1024];
        let mut left = 64_usize;
        while left > 0 && socket.read(&mut piece).await? > 0 {
            left -= 1;
        }
        std::io::Result::Ok(())
    };
    let _ = timeout(FAREWELL, farewell).await;
}

/// The response as HTTP/1.1, with its length and its date, as the last on its connection.
fn written(mut response: Response<axum::body::Body>, role: Role) -> Bytes {
    if role == Role::Redirect {
        redirect::strip(&mut response);
    }
    let (parts, body) = response.into_parts();
    // The body of a problem document is there at once.
    let body = body
        .collect()
        .now_or_never()
        .and_then(Result::ok)
        .map(|body| body.to_bytes())
        .unwrap_or_default();
    let mut bytes = BytesMut::with_capacity(1024 + body.len());
    let reason = parts.status.canonical_reason().unwrap_or_default();
    bytes.put_slice(format!("HTTP/1.1 {} {reason}\r\n", parts.status.as_str()).as_bytes());
    let own = [header::CONNECTION, header::CONTENT_LENGTH, header::DATE];
    for (name, value) in &parts.headers {
        if !own.contains(name) {
            bytes.put_slice(name.as_str().as_bytes());
            bytes.put_slice(b": ");
            bytes.put_slice(value.as_bytes());
            bytes.put_slice(b"\r\n");
        }
    }
    let date = httpdate::fmt_http_date(std::time::SystemTime::now());
    let end = format!(
        "connection: close\r\ncontent-length: {}\r\ndate: {date}\r\n\r\n",
        body.len()
    );
    bytes.put_slice(end.as_bytes());
    bytes.put_slice(&body);
    bytes.freeze()
}
