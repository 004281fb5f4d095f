//! Whose turn it is: a bounded number hashes, a bounded number waits, the rest is told to come back.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::config::AuthConfig;
use crate::error::{Error, Result};
use crate::event::Event;

/// How long one waits for its turn before it is told to come back.
const WAIT: Duration = Duration::from_secs(3);

type Job = Box<dyn FnOnce() + Send>;

/// As many threads as may hash at once. They are always the same ones: an allocator keeps memory for each thread that ever hashed.
#[derive(Debug, Clone)]
pub(super) struct Turns {
    /// Those that hash and those that wait.
    places: Arc<Semaphore>,
    /// Those that hash.
    turns: Arc<Semaphore>,
    /// To the threads; they end when the last of these does.
    jobs: mpsc::Sender<Job>,
}

/// A place among those that hash and those that wait.
#[derive(Debug)]
pub(in crate::auth) struct Place {
    _held: OwnedSemaphorePermit,
}

impl Turns {
    pub(super) fn new(config: &AuthConfig) -> Result<Self> {
        // One processor stays free for all other requests.
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let usual = processors.saturating_sub(1).max(1);
        let turns = config
            .password_parallelism
            .map_or(usual, |turns| turns as usize);
        Self::of(turns, config.password_queue as usize)
    }

    fn of(turns: usize, waiting: usize) -> Result<Self> {
        let (jobs, queue) = mpsc::channel::<Job>();
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..turns {
            let queue = Arc::clone(&queue);
            let thread = std::thread::Builder::new().name("passwords".to_owned());
            thread.spawn(move || {
                // One of them waits in the queue, the others for it.
                let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
                while let Ok(job) = next() {
                    job();
                }
            })?;
        }
        Ok(Self {
            places: Arc::new(Semaphore::new(turns + waiting)),
            turns: Arc::new(Semaphore::new(turns)),
            jobs,
        })
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
        let (answer, done) = oneshot::channel();
        let job = move || {
            let outcome = catch_unwind(AssertUnwindSafe(work));
            // The work outlives a client that goes away, and so does its turn.
            drop((place, turn));
            let _ = answer.send(outcome);
        };
        let sent = self.jobs.send(Box::new(job));
        sent.map_err(|_| Error::internal())?;
        // What panicked has been told by the panic hook.
        done.await?.unwrap_or_else(|_| Err(Error::internal()))
    }
}

fn full() -> Error {
    Event::PasswordsFull.emit();
    Error::unavailable()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns(turns: usize, waiting: usize) -> Turns {
        Turns::of(turns, waiting).expect("threads")
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

    #[tokio::test]
    async fn goes_on_after_a_panic() {
        let all = turns(1, 0);
        for _ in 0..3 {
            let outcome = take(&all, || -> Result<()> { panic!("on purpose") }).await;
            assert_eq!(outcome.expect_err("it panicked").status(), 500);
        }
        take(&all, || Ok(()))
            .await
            .expect("the thread is still there");
    }

    #[tokio::test]
    async fn works_on_as_few_threads_as_it_may() {
        let all = turns(2, 100);
        let mut seen = std::collections::HashSet::new();
        for _ in 0..50 {
            let here = || Ok(std::thread::current().id());
            seen.insert(take(&all, here).await.expect("its turn came"));
        }
        assert!(seen.len() <= 2, "{}", seen.len());
    }
}
