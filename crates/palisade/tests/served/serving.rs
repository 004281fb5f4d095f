//! Serving: connections, framing, TLS, and clients that misbehave.

mod connections;
mod framing;
mod http2;
mod plain;
mod proxy_protocol;
mod server;
mod slow_clients;
mod tls;
