//! What comes before HTTP: the first byte, the balancer's header, the handshake, the version.

use std::io;

use bytes::Buf as _;
use tokio::time::timeout;

use super::socket::{Socket, Stream};
use super::{House, Role};
use crate::event::Event;
use crate::perimeter::connection::ClientCertificate;
use crate::perimeter::{Connection, proxy_protocol};

/// How a client begins that speaks HTTP/2 without asking (RFC 9113, 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Whether it comes from a declared balancer, which begins each connection with a PROXY header.
pub(super) fn is_balancer(connection: &Connection, house: &House) -> bool {
    let networks = house.limits.proxy_protocol.as_ref();
    connection
        .address()
        .is_some_and(|peer| networks.is_some_and(|networks| networks.contain(peer)))
}

/// Waits for the first byte, and reads the balancer's header; `false` when there is nobody to serve.
pub(super) async fn prepare(
    socket: &mut Socket,
    connection: &mut Connection,
    house: &House,
) -> io::Result<bool> {
    let limits = &house.limits;
    if !timeout(limits.first_byte_timeout, socket.look()).await?? {
        return Ok(false);
    }
    let peer = connection.address();
    let refused = |reason| {
        if let Some(count) = house.proxy_headers.due(reason) {
            let event = Event::ProxyHeaderRefused { reason, count };
            match peer {
                Some(peer) => event.emit_of(peer),
                None => event.emit(),
            }
        }
    };
    if !is_balancer(connection, house) {
        if proxy_protocol::is_header(socket.ahead()) {
            refused("undeclared");
        }
        return Ok(true);
    }
    let header = async {
        loop {
            match proxy_protocol::read(socket.ahead()) {
                Ok(Some(header)) => return io::Result::Ok(Some(header)),
                Ok(None) if socket.look().await? => {}
                Ok(None) => {
                    refused("truncated");
                    return Ok(None);
                }
                Err(reason) => {
                    refused(reason);
                    return Ok(None);
                }
            }
        }
    };
    let header = match timeout(limits.head_timeout, header).await {
        Ok(header) => header?,
        Err(_) => {
            refused("too_slow");
            None
        }
    };
    let Some(header) = header else {
        return Ok(false);
    };
    connection.source = header.source;
    socket.ahead().advance(header.length);
    Ok(true)
}

/// Ends TLS, where it is to be ended, and finds out which HTTP is spoken.
pub(super) async fn secure(
    mut socket: Socket,
    connection: &mut Connection,
    house: &House,
    role: Role,
) -> Option<(Stream, Role, bool)> {
    let tls = house.tls.as_ref().filter(|_| role == Role::App);
    // The first byte of a TLS connection is the type of its first record, a handshake.
    if let Some(tls) = tls.filter(|_| socket.ahead().first() == Some(&0x16)) {
        let handshake = tls.acceptor().accept(socket);
        let stream = timeout(tls.handshake_timeout(), handshake)
            .await
            .ok()?
            .ok()?;
        let (_, session) = stream.get_ref();
        connection.secure = true;
        connection.client_certificate = session
            .peer_certificates()
            .and_then(|chain| chain.first())
            .map(|own| ClientCertificate::new(own));
        let http2 = session.alpn_protocol() == Some(b"h2");
        return Some((Stream::Tls(Box::new(stream)), role, http2));
    }
    // Plain HTTP on the port of HTTPS is sent on, as on a port of its own.
    let role = if tls.is_some() { Role::Redirect } else { role };
    let undecided = |ahead: &[u8]| ahead.len() < PREFACE.len() && PREFACE.starts_with(ahead);
    let look = async { while undecided(socket.ahead()) && socket.look().await.unwrap_or(false) {} };
    let _ = timeout(house.limits.head_timeout, look).await;
    let http2 = role == Role::App && socket.ahead().starts_with(PREFACE);
    Some((Stream::Plain(socket), role, http2))
}
