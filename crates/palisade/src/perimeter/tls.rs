//! TLS by rustls: 1.2 and 1.3, the hybrid post-quantum key exchange first, certificates that are replaced while it runs.

mod load;
mod reload;

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use rustls::ServerConfig;
use tokio_rustls::TlsAcceptor;

use crate::config::{Problem, Refusal, TlsConfig};
use load::{Contents, Files};

/// The certificates in use, and where new ones come from.
pub struct Tls {
    files: Files,
    /// What was read at start, for the first comparison.
    first: Mutex<Option<Contents>>,
    current: RwLock<Arc<ServerConfig>>,
    config: TlsConfig,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

impl Tls {
    /// Reads and checks the files; with what an operator wants to know though it starts.
    ///
    /// # Errors
    /// A certificate or key that is missing, unreadable, no PEM, expired or of another pair.
    pub fn load(config: &TlsConfig) -> Result<(Self, Vec<String>), Refusal> {
        let files = Files::of(config);
        let contents = files.read().map_err(Problem::from)?;
        let current = contents.server().map_err(Problem::from)?;
        let notices = files.notices(&contents);
        let tls = Self {
            files,
            first: Mutex::new(Some(contents)),
            current: RwLock::new(current),
            config: config.clone(),
        };
        Ok((tls, notices))
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        let current = self.current.read();
        let current = current.unwrap_or_else(PoisonError::into_inner);
        TlsAcceptor::from(Arc::clone(&current))
    }

    pub(super) fn handshake_timeout(&self) -> Duration {
        self.config.handshake_timeout
    }

    fn first(&self) -> Result<Contents, &'static str> {
        let first = self.first.lock();
        first
            .unwrap_or_else(PoisonError::into_inner)
            .take()
            .ok_or("unreadable")
    }

    fn replace(&self, new: Arc<ServerConfig>) {
        let current = self.current.write();
        *current.unwrap_or_else(PoisonError::into_inner) = new;
    }
}
