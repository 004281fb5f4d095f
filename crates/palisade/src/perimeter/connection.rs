//! One connection, as the accept loop knows it.

use std::net::IpAddr;

/// What is known of a connection before its first request.
#[derive(Debug, Clone)]
pub struct Connection {
    /// The address at its other end.
    pub peer: IpAddr,
    /// Whether it is TLS.
    pub secure: bool,
}
