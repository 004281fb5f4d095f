//! New certificates while the service runs: when the files change, and on SIGHUP.

use std::future::Future;
use std::sync::Arc;

use super::Tls;
use super::load::Contents;
use crate::event::Event;

impl Tls {
    /// Watches the files until `stop` is done. Connections that are open keep what they have.
    ///
    /// A change counts when two looks in a row see the same: a certificate and its key are two files, and are seldom
    /// replaced at the same moment.
    ///
    /// The signal is caught from now on, not only when the future is first polled.
    pub(in crate::perimeter) fn watch(
        self: Arc<Self>,
        stop: impl Future<Output = ()>,
    ) -> impl Future<Output = ()> {
        let hangup = Hangup::new();
        async move { self.watch_until(hangup, stop).await }
    }

    async fn watch_until(self: Arc<Self>, mut hangup: Hangup, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        let mut used = self.first();
        let mut seen = used.clone();
        loop {
            let asked = tokio::select! {
                () = &mut stop => return,
                () = hangup.wait() => true,
                () = tokio::time::sleep(self.config.reload_interval) => false,
            };
            let new = self.look().await;
            if asked || (new != used && new == seen) {
                self.take(&new);
                used.clone_from(&new);
            }
            seen = new;
        }
    }

    async fn look(self: &Arc<Self>) -> Result<Contents, &'static str> {
        let files = self.files.clone();
        let read = tokio::task::spawn_blocking(move || files.read()).await;
        match read {
            Ok(read) => read.map_err(|fault| fault.reason),
            Err(_) => Err("unreadable"),
        }
    }

    fn take(&self, new: &Result<Contents, &'static str>) {
        let server = match new {
            Ok(contents) => contents.server().map_err(|fault| fault.reason),
            Err(reason) => Err(*reason),
        };
        match server {
            Ok(server) => {
                self.replace(server);
                Event::CertificateReplaced.emit();
            }
            Err(reason) => Event::CertificateKept { reason }.emit(),
        }
    }
}

/// SIGHUP, where there is such a thing.
struct Hangup(#[cfg(unix)] Option<tokio::signal::unix::Signal>);

#[cfg(unix)]
impl Hangup {
    fn new() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Self(signal(SignalKind::hangup()).ok())
    }

    async fn wait(&mut self) {
        let came = match &mut self.0 {
            Some(signal) => signal.recv().await,
            None => None,
        };
        if came.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(not(unix))]
impl Hangup {
    fn new() -> Self {
        Self()
    }

    async fn wait(&mut self) {
        std::future::pending::<()>().await;
    }
}
