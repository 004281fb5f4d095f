//! The settings of serving: where to listen, how long a client may take, and TLS.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::network::Networks;
use super::setting::{Raw, Setting, Wrong};

/// Where the service listens: an address that `PORT` completes, or a Unix socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// An address of this machine.
    Address(IpAddr),
    /// The path of a Unix socket.
    Socket(PathBuf),
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Socket(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl Setting for Host {
    fn read(raw: Raw<'_>) -> Result<Self, Wrong> {
        let text = raw.text().ok().map(str::trim).unwrap_or_default();
        match text.strip_prefix("unix:") {
            // The kernel's limit for a socket's path is 108 bytes, and the socket is made beside it first.
            Some(path) if (1..=100).contains(&path.len()) => Ok(Self::Socket(path.into())),
            Some(_) => Err(Wrong::new(
                "names no Unix socket",
                "write `unix:` and a path of at most 100 bytes, such as unix:/run/app/http.sock",
            )),
            None => text.parse().map(Self::Address).map_err(|_| {
                Wrong::new(
                    "is not an IP address",
                    "write an address without a port: 127.0.0.1 for this machine alone, 0.0.0.0 for every interface",
                )
            }),
        }
    }
}

/// The settings of connections: the table `[serve]`.
#[palisade_macros::settings]
#[non_exhaustive]
pub struct ServeConfig {
    /// How long a new connection may stay silent.
    #[setting(default = "10s", range = "50ms"..="1m")]
    pub first_byte_timeout: Duration,
    /// How long the head of a request may take to arrive.
    #[setting(default = "10s", range = "50ms"..="1m")]
    pub head_timeout: Duration,
    /// How long a connection is kept without a request.
    #[setting(default = "1m", range = "50ms"..="1h")]
    pub idle_timeout: Duration,
    /// How long a client may leave an answer untaken.
    #[setting(default = "30s", range = "50ms"..="10m")]
    pub write_timeout: Duration,
    /// How long requests that are under way may take to end when the service stops.
    #[setting(default = "20s", range = "50ms"..="10m")]
    pub drain_timeout: Duration,
    /// Connections at most.
    #[setting(default = 10000, range = 1..=1000000)]
    pub max_connections: u32,
    /// Connections of one address at most; a declared proxy has no limit of its own.
    #[setting(default = 256, range = 1..=1000000)]
    pub max_connections_per_address: u32,
    /// The balancers whose connections begin with a PROXY protocol header.
    pub proxy_protocol: Option<Networks>,
}

/// Whether a client must show a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientCertificates {
    /// A client without one is let in; one that is shown must be valid.
    Optional,
    /// The handshake fails without one.
    Required,
}

impl Setting for ClientCertificates {
    fn read(raw: Raw<'_>) -> Result<Self, Wrong> {
        match raw.text()? {
            "optional" => Ok(Self::Optional),
            "required" => Ok(Self::Required),
            _ => Err(Wrong::new(
                "is neither `optional` nor `required`",
                "write one of the two",
            )),
        }
    }
}

/// The settings of TLS: the table `[tls]`. Without it the service speaks plain HTTP, behind a proxy that ends TLS.
#[palisade_macros::settings]
#[non_exhaustive]
pub struct TlsConfig {
    /// The PEM file of the certificate and its chain.
    pub certificate: PathBuf,
    /// The PEM file of the private key.
    pub key: PathBuf,
    /// A port for plain HTTP that sends clients to HTTPS.
    #[setting(range = 1..=65535)]
    pub redirect_port: Option<u16>,
    /// The port of HTTPS as clients see it, where that is another than `PORT`.
    #[setting(range = 1..=65535)]
    pub public_port: Option<u16>,
    /// The PEM file of the authorities whose client certificates are believed.
    pub client_ca: Option<PathBuf>,
    /// Whether a client must show a certificate, where `client_ca` is set.
    #[setting(default = "required")]
    pub client_certificates: ClientCertificates,
    /// How long a handshake may take.
    #[setting(default = "10s", range = "50ms"..="1m")]
    pub handshake_timeout: Duration,
    /// How often the files are looked at for a change.
    #[setting(default = "10s", range = "50ms"..="1d")]
    pub reload_interval: Duration,
}
