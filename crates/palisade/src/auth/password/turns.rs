//! Whose turn it is: a bounded number hashes, a bounded number waits, the rest is told to come back.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::AuthConfig;
use crate::error::{Error, Result};
use crate::event::Event;

/// How long one waits for its turn before it is told to come back.
const WAIT: Duration = Duration::from_secs(3);

#[derive(Debug, Clone)]
pub(super) struct Turns {
    /// Those that hash and those that wait.
    places: Arc<Semaphore>,
    /// Those that hash.
    turns: Arc<Semaphore>,
}

/// A place among those that hash and those that wait.
#[derive(Debug)]
pub(in crate::auth) struct Place {
    _held: OwnedSemaphorePermit,
}

impl Turns {
    pub(super) fn new(config: &AuthConfig) -> Self {
        // One processor stays free for all other requests.
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let usual = processors.saturating_sub(1).max(1);
        let turns = config
            .password_parallelism
            .map_or(usual, |turns| turns as usize);
        Self {
            places: Arc::new(Semaphore::new(turns + config.password_queue as usize)),
            turns: Arc::new(Semaphore::new(turns)),
        }
    }

    /// A place, when there is one.
    pub(super) fn enter(&self) -> Result<Place> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        place.map(|held| Place { _held: held }).map_err(|_| full())
    }

    /// Does the work on a thread that may block, when its turn comes.
    pub(super) async fn take<T: Send + 'static>(
        &self,
        place: Place,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let turn = tokio::time::timeout(WAIT, Arc::clone(&self.turns).acquire_owned());
        let Ok(turn) = turn.await else {
            return Err(full());
        };
        let turn = turn?;
        // The work outlives a client that goes away, and so does its turn.
        tokio::task::spawn_blocking(move || {
            let _held = (place, turn);
            work()
        })
        .await?
    }
}

fn full() -> Error {
    Event::PasswordsFull.emit();
    Error::unavailable()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn turns(turns: usize, waiting: usize) -> Turns {
        Turns {
            places: Arc::new(Semaphore::new(turns + waiting)),
            turns: Arc::new(Semaphore::new(turns)),
        }
    }

    async fn take<T: Send + 'static>(
        all: &Turns,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        all.take(all.enter()?, work).await
    }

    #[tokio::test]
    async fn lets_a_bounded_number_work_and_a_bounded_number_wait() {
        let all = turns(1, 1);
        let (go, gate) = mpsc::channel::<()>();
        let (begun, mut begins) = tokio::sync::mpsc::unbounded_channel();
        let first = tokio::spawn({
            let all = all.clone();
            async move {
                let work = move || {
                    let _ = begun.send(());
                    Ok(gate.recv().is_ok())
                };
                take(&all, work).await
            }
        });
        begins.recv().await.expect("the first one works");
        let second = tokio::spawn({
            let all = all.clone();
            async move { take(&all, || Ok(())).await }
        });
        while all.places.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let third = take(&all, || Ok(())).await.expect_err("there is no place");
        assert_eq!(third.status(), 503);
        let retry = |(name, _): &(http::HeaderName, http::HeaderValue)| *name == "retry-after";
        assert!(third.headers().iter().any(retry));
        go.send(()).expect("the first one waits");
        assert!(first.await.expect("no panic").expect("it worked"));
        second.await.expect("no panic").expect("its turn came");
        take(&all, || Ok(())).await.expect("places are free again");
    }

    #[tokio::test]
    async fn holds_its_turn_while_a_client_that_went_away_is_still_worked_for() {
        let all = turns(1, 0);
        let (go, gate) = mpsc::channel::<()>();
        let (begun, mut begins) = tokio::sync::mpsc::unbounded_channel();
        let gone = tokio::spawn({
            let all = all.clone();
            async move {
                let work = move || {
                    let _ = begun.send(());
                    Ok(gate.recv().is_ok())
                };
                take(&all, work).await
            }
        });
        begins.recv().await.expect("it works");
        gone.abort();
        let _ = gone.await;
        assert!(take(&all, || Ok(())).await.is_err(), "it is still at work");
        go.send(()).expect("it waits");
        while all.places.available_permits() == 0 {
            tokio::task::yield_now().await;
        }
    }
}
