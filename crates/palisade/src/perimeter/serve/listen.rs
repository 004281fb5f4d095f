//! Where connections come in: addresses, a Unix socket, or the sockets that systemd opened.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};

use listenfd::ListenFd;
use tokio::net::{TcpListener, TcpStream};

use super::Role;
use super::socket::{Socket, Wire};
#[cfg(unix)]
use super::unix_socket::UnixSocket;
use crate::config::{Config, Host, Problem, Refusal};
use crate::perimeter::{Connection, Peer};

/// The open listeners of a service.
#[derive(Debug, Default)]
pub struct Listeners(pub(super) Vec<(Listener, Role)>);

/// One listener.
#[derive(Debug)]
pub(super) enum Listener {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(UnixSocket),
}

/// The sockets that the service was started with (systemd's `LISTEN_FDS`).
///
/// Taken before there is a second thread, since the environment is changed.
pub struct Inherited {
    sockets: ListenFd,
    names: Vec<String>,
}

impl fmt::Debug for Inherited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inherited")
            .field("sockets", &self.sockets.len())
            .finish_non_exhaustive()
    }
}

impl Inherited {
    /// Those of this process; none in a process that another one was started with.
    #[must_use]
    pub fn of_process() -> Self {
        let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
        Self {
            sockets: ListenFd::from_env(),
            names: names.split(':').map(str::to_owned).collect(),
        }
    }

    /// Opens them. One that is named `redirect` sends clients to HTTPS.
    fn open(mut self) -> Result<Listeners, Refusal> {
        let mut listeners = Listeners::default();
        for index in 0..self.sockets.len() {
            let listener = self.listener(index).map_err(|_| {
                Problem::new(
                    format!("socket {index} of those that the service was started with is no listening stream socket"),
                    "LISTEN_FDS",
                    "write `ListenStream=` into the socket unit",
                )
            })?;
            let redirect = self.names.get(index).is_some_and(|name| name == "redirect");
            let role = if redirect { Role::Redirect } else { Role::App };
            listeners.0.push((listener, role));
        }
        Ok(listeners)
    }

    #[cfg(unix)]
    fn listener(&mut self, index: usize) -> io::Result<Listener> {
        if let Ok(Some(listener)) = self.sockets.take_unix_listener(index) {
            return UnixSocket::inherited(listener).map(Listener::Unix);
        }
        self.tcp(index)
    }

    #[cfg(not(unix))]
    fn listener(&mut self, index: usize) -> io::Result<Listener> {
        self.tcp(index)
    }

    fn tcp(&mut self, index: usize) -> io::Result<Listener> {
        let listener = self.sockets.take_tcp_listener(index)?;
        let listener = listener.ok_or(io::ErrorKind::NotFound)?;
        listener.set_nonblocking(true)?;
        TcpListener::from_std(listener).map(Listener::Tcp)
    }
}

impl Listeners {
    /// Opens what the settings name, unless the service was started with sockets.
    ///
    /// # Errors
    /// A port that is taken or not allowed, an address of another machine, a Unix socket that is in use.
    pub async fn open(config: &Config, inherited: Inherited) -> Result<Self, Refusal> {
        if inherited.sockets.len() > 0 {
            return inherited.open();
        }
        let mut refusal = Refusal::default();
        let mut listeners = Self::default();
        let mut add = |outcome: Result<Listener, Problem>, role| match outcome {
            Ok(listener) => listeners.0.push((listener, role)),
            Err(problem) => refusal.add(problem),
        };
        let redirect = config.tls.as_ref().and_then(|tls| tls.redirect_port);
        match &config.host {
            Host::Address(host) => {
                add(tcp(*host, config.port, "PORT").await, Role::App);
                if let Some(port) = redirect {
                    let setting = "PALISADE_TLS__REDIRECT_PORT";
                    add(tcp(*host, port, setting).await, Role::Redirect);
                }
            }
            #[cfg(unix)]
            Host::Socket(path) => {
                add(UnixSocket::bind(path).map(Listener::Unix), Role::App);
            }
            #[cfg(not(unix))]
            Host::Socket(_) => add(
                Err(Problem::new(
                    "there are no Unix sockets on this system",
                    "HOST",
                    "write an address, such as 127.0.0.1",
                )),
                Role::App,
            ),
        }
        refusal.or(listeners)
    }

    /// Adds a listener for plain HTTP that sends clients to HTTPS.
    #[must_use]
    pub fn redirecting(mut self, listener: TcpListener) -> Self {
        self.0.push((Listener::Tcp(listener), Role::Redirect));
        self
    }

    /// Where the app is served, for the log: `http://127.0.0.1:3000`.
    pub fn places(&self, secure: bool) -> Vec<String> {
        let scheme = |role| {
            if secure && role == Role::App {
                "https"
            } else {
                "http"
            }
        };
        self.0
            .iter()
            .map(|(listener, role)| match listener {
                Listener::Tcp(listener) => match listener.local_addr() {
                    Ok(address) => format!("{}://{address}", scheme(*role)),
                    Err(_) => format!("{}://?", scheme(*role)),
                },
                #[cfg(unix)]
                Listener::Unix(socket) => socket.to_string(),
            })
            .collect()
    }
}

impl From<TcpListener> for Listeners {
    fn from(listener: TcpListener) -> Self {
        Self(vec![(Listener::Tcp(listener), Role::App)])
    }
}

async fn tcp(host: IpAddr, port: u16, setting: &str) -> Result<Listener, Problem> {
    let address = SocketAddr::new(host, port);
    TcpListener::bind(address)
        .await
        .map(Listener::Tcp)
        .map_err(|error| cannot_listen(address, setting, &error))
}

fn cannot_listen(address: SocketAddr, setting: &str, error: &io::Error) -> Problem {
    let (what, fix) = match error.kind() {
        io::ErrorKind::AddrInUse => (
            "is taken by another program",
            format!("stop that program, or choose another {setting}"),
        ),
        io::ErrorKind::PermissionDenied => (
            "is not allowed to this user",
            format!(
                "choose a {setting} of 1024 or above, or let systemd open it (`ListenStream=`)"
            ),
        ),
        io::ErrorKind::AddrNotAvailable => (
            "is not an address of this machine",
            "choose a HOST of this machine, such as 127.0.0.1 or 0.0.0.0".to_owned(),
        ),
        _ => (
            "cannot be listened on",
            format!("choose another HOST or {setting}"),
        ),
    };
    Problem::new(
        format!("{address} {what}"),
        format!("HOST and {setting}"),
        fix,
    )
}

impl Listener {
    pub(super) async fn accept(&self) -> io::Result<(Socket, Connection)> {
        match self {
            Self::Tcp(listener) => listener
                .accept()
                .await
                .map(|(stream, peer)| of_tcp(stream, peer)),
            #[cfg(unix)]
            Self::Unix(socket) => {
                let stream = socket.accept().await?;
                Ok((
                    Socket::new(Wire::Unix(stream)),
                    Connection::of(Peer::Socket),
                ))
            }
        }
    }
}

fn of_tcp(stream: TcpStream, peer: SocketAddr) -> (Socket, Connection) {
    // An answer is written in one piece: there is nothing to wait for (Nagle's algorithm).
    let _ = stream.set_nodelay(true);
    let peer = Peer::Address(peer.ip().to_canonical());
    (Socket::new(Wire::Tcp(stream)), Connection::of(peer))
}
