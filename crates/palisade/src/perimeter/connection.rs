//! One connection, as the accept loop knows it.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};
use crate::input::{Argument, Incoming};

/// What is known of the connection that a request came on.
///
/// # Security
/// Nothing here was said by the client, but for the certificate, which was verified. Forwarding headers are not looked at.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Connection {
    /// Who really connected.
    pub peer: Peer,
    /// The client's address, as a declared balancer told it by the PROXY protocol.
    pub source: Option<IpAddr>,
    /// Whether this process ended TLS for it.
    pub secure: bool,
    /// The client's certificate, when it showed one that is valid.
    pub client_certificate: Option<ClientCertificate>,
}

impl Connection {
    pub(super) fn of(peer: Peer) -> Self {
        Self {
            peer,
            source: None,
            secure: false,
            client_certificate: None,
        }
    }

    /// The address of the other end: the one that a declared balancer told, or else the one that connected.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.source.or(match self.peer {
            Peer::Address(address) => Some(address),
            Peer::Socket => None,
        })
    }
}

/// The other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Peer {
    /// A machine with this address; one that is mapped into IPv6 stands here as IPv4.
    Address(IpAddr),
    /// A program of this machine, through the Unix socket.
    Socket,
}

/// A client's certificate that one of the declared authorities signed; a handler that takes it is for such clients alone.
///
/// # Errors
/// 401 when the client showed none, which `tls.client_certificates = "optional"` allows.
///
/// # Security
/// The handshake proved that the client holds its key. Whether it may do what it asks for is still the guard's to say. What a
/// proxy that ends TLS tells of a certificate is not read.
///
/// # Example
/// ```
/// use palisade::perimeter::ClientCertificate;
/// use palisade::prelude::*;
///
/// #[output]
/// struct Seen { fingerprint: String }
///
/// #[get("/certificate")]
/// async fn certificate(_: SignedIn, own: ClientCertificate) -> Result<Json<Seen>> {
///     Ok(Json(Seen { fingerprint: own.fingerprint() }))
/// }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ClientCertificate(Arc<[u8]>);

impl ClientCertificate {
    pub(super) fn new(der: &[u8]) -> Self {
        Self(der.into())
    }

    /// The certificate in DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.0
    }

    /// Its SHA-256 in hexadecimal, as `openssl x509 -fingerprint -sha256` tells it (there with colons).
    #[must_use]
    pub fn fingerprint(&self) -> String {
        Sha256::digest(&self.0)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientCertificate({})", self.fingerprint())
    }
}

impl Argument for ClientCertificate {
    async fn take(incoming: &mut Incoming) -> Result<Self> {
        let own = incoming.parts().extensions.get::<Self>().cloned();
        own.ok_or_else(|| Error::unauthorized().with_detail("show a client certificate"))
    }
}
