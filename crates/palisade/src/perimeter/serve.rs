//! The accept loop: every connection counted, watched and ended in time.

mod answer;
mod drive;
mod ending;
mod framing;
mod gate;
mod listen;
mod opening;
mod places;
mod pulse;
mod redirect;
mod socket;
mod under_way;
#[cfg(unix)]
mod unix_socket;

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

pub(in crate::perimeter) use framing::{MAX_HEAD, MAX_HEADERS};
pub use listen::{Inherited, Listeners};
pub(in crate::perimeter) use redirect::{Redirect, strip};

use super::Perimeter;
use super::tls::Tls;
use crate::config::{Config, ServeConfig, TrustedProxies};
use crate::event::Sampled;
use listen::Listener;
use places::Places;

/// Connections that are told at the same moment that there is no place for them; more are closed without a word.
const TOLD_AT_ONCE: usize = 64;
/// How long what was cut off has to let go.
const CUT: Duration = Duration::from_secs(1);

/// What serving needs beside the perimeter: limits, certificates, the way to HTTPS.
#[derive(Debug, Clone)]
pub struct Serving {
    limits: ServeConfig,
    tls: Option<Arc<Tls>>,
    redirect: Redirect,
    proxies: TrustedProxies,
}

impl Serving {
    /// By these settings.
    #[must_use]
    pub fn new(config: &Config, tls: Option<Tls>) -> Self {
        Self {
            limits: config.serve.clone(),
            tls: tls.map(Arc::new),
            redirect: Redirect::new(config),
            proxies: config.trusted_proxies.clone(),
        }
    }

    /// Whether this process ends TLS.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.tls.is_some()
    }
}

/// What a listener serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    App,
    /// Sends clients to HTTPS.
    Redirect,
}

/// What all connections share.
struct House {
    perimeter: Arc<Perimeter>,
    limits: ServeConfig,
    tls: Option<Arc<Tls>>,
    redirect: Redirect,
    places: Arc<Places>,
    told: Semaphore,
    /// Headers of balancers that were refused.
    proxy_headers: Sampled,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Serving,
    /// No connection and no request more; those that are there may end.
    Draining,
    /// Nothing more.
    Ending,
}

/// How a connection learns that the service stops.
#[derive(Clone)]
struct Stop(watch::Receiver<Stage>);

impl Stop {
    fn stage(&self) -> Stage {
        match self.0.has_changed() {
            Ok(_) => *self.0.borrow(),
            // Whoever served was itself cut off.
            Err(_) => Stage::Ending,
        }
    }

    async fn next(&mut self) {
        let _ = self.0.changed().await;
    }

    async fn draining(&mut self) {
        let _ = self.0.wait_for(|stage| *stage != Stage::Serving).await;
    }
}

/// Serves until `stop` is done, then lets what is under way end.
pub async fn serve(
    listeners: Listeners,
    perimeter: Perimeter,
    serving: Serving,
    stop: impl Future<Output = ()>,
) {
    let Serving {
        limits,
        tls,
        redirect,
        proxies,
    } = serving;
    let (max, each) = (limits.max_connections, limits.max_connections_per_address);
    let drain = limits.drain_timeout;
    let house = Arc::new(House {
        perimeter: Arc::new(perimeter),
        limits,
        tls,
        redirect,
        places: Places::new(max, each, proxies),
        told: Semaphore::new(TOLD_AT_ONCE),
        proxy_headers: Sampled::default(),
    });
    let (stage, watched) = watch::channel(Stage::Serving);
    let mut loops = JoinSet::new();
    if let Some(tls) = house.tls.clone() {
        let mut stop = Stop(watched.clone());
        loops.spawn(tls.watch(async move { stop.draining().await }));
    }
    for (listener, role) in listeners.0 {
        loops.spawn(accept(
            listener,
            role,
            Arc::clone(&house),
            Stop(watched.clone()),
        ));
    }
    drop((watched, house));
    stop.await;
    let _ = stage.send(Stage::Draining);
    // Each connection holds an end of the channel.
    if timeout(drain, stage.closed()).await.is_err() {
        tracing::warn!("some requests did not end in time and were cut off");
        let _ = stage.send(Stage::Ending);
        let _ = timeout(CUT, stage.closed()).await;
    }
}

async fn accept(listener: Listener, role: Role, house: Arc<House>, mut stop: Stop) {
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.draining() => return,
            accepted = listener.accept() => accepted,
        };
        let (socket, connection) = match accepted {
            Ok(accepted) => accepted,
            Err(error) if is_of_one(&error) => continue,
            Err(error) => {
                // Out of file descriptors, mostly: wait for some to be given back.
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let (house, stop) = (Arc::clone(&house), stop.clone());
        // Counted before it has said a word: silence takes no more places than speech. A balancer speaks for others.
        let own = connection
            .address()
            .filter(|_| !opening::is_balancer(&connection, &house));
        match house.places.enter(own) {
            Some(place) => {
                tokio::spawn(drive::drive(socket, connection, place, house, role, stop));
            }
            None if house.tls.is_none() || role == Role::Redirect => {
                tokio::spawn(async move {
                    if let Ok(_permit) = house.told.try_acquire() {
                        answer::turn_away(socket, &house.perimeter, &connection, role).await;
                    }
                });
            }
            None => {}
        }
    }
}

/// Whether an error of `accept` concerns the one connection that was about to come.
fn is_of_one(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}
