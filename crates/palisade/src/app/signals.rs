//! The signals that end a service, and the one that must not.

use std::io;

/// Ctrl-C and SIGTERM, caught from the moment that this value is made. SIGHUP asks for new certificates and ends nothing, also where
/// there are none.
#[cfg(unix)]
pub(super) struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
    has_certificates: bool,
}

#[cfg(unix)]
impl Signals {
    pub(super) fn catch(has_certificates: bool) -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            has_certificates,
        })
    }

    /// Waits for a signal that ends the service.
    pub(super) async fn wait(&mut self) {
        loop {
            tokio::select! {
                _ = self.interrupt.recv() => return,
                _ = self.terminate.recv() => return,
                _ = self.hangup.recv() => {
                    if !self.has_certificates {
                        tracing::info!("SIGHUP: there is no certificate to take anew; settings are read at the start alone");
                    }
                }
            }
        }
    }
}

#[cfg(not(unix))]
pub(super) struct Signals;

#[cfg(not(unix))]
impl Signals {
    pub(super) fn catch(_: bool) -> io::Result<Self> {
        Ok(Self)
    }

    pub(super) async fn wait(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
