//! How long a statement of SQLite may run.
//!
//! PostgreSQL has `statement_timeout`. SQLite asks, every few milliseconds, whether it may go on; so each connection has a clock that
//! its statements start and stop. For that each has a pool of its own: a connection of a larger one could not be told from the others.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// The clock of one connection.
#[derive(Debug)]
pub(super) struct Clock {
    made: Instant,
    longest: Duration,
    /// Milliseconds since it was made, 0 while no statement is timed.
    deadline: AtomicU64,
}

impl Clock {
    #[cfg(feature = "sqlite")]
    fn new(longest: Duration) -> Self {
        Self {
            made: Instant::now(),
            longest,
            deadline: AtomicU64::new(0),
        }
    }

    /// A statement begins.
    pub(super) fn start(&self) {
        let deadline = self.made.elapsed() + self.longest;
        self.deadline.store(deadline.as_millis() as u64, Relaxed);
    }

    /// It has ended. Where nobody waits for its end any more this is not called, and it is ended when its time is over.
    pub(super) fn stop(&self) {
        self.deadline.store(0, Relaxed);
    }

    #[cfg(feature = "sqlite")]
    fn goes_on(&self) -> bool {
        let deadline = self.deadline.load(Relaxed);
        deadline == 0 || self.made.elapsed().as_millis() < u128::from(deadline)
    }
}

/// The clock where there is one.
pub(super) type Timed = Option<Arc<Clock>>;

#[cfg(feature = "sqlite")]
pub(super) use lanes::Lanes;

#[cfg(feature = "sqlite")]
mod lanes {
    use futures_util::TryFutureExt as _;
    use sqlx::pool::PoolConnection;
    use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
    use sqlx::{Error, Sqlite};

    use super::{Arc, Clock, Duration};

    /// Steps of SQLite's machine between two looks at the clock: a millisecond or two.
    const STEPS: i32 = 100_000;

    /// Connections to one file, each with its clock.
    #[derive(Debug, Clone)]
    pub(in crate::db) struct Lanes(Arc<[Lane]>);

    #[derive(Debug)]
    struct Lane {
        pool: SqlitePool,
        clock: Arc<Clock>,
    }

    impl Lane {
        fn new(options: &SqliteConnectOptions, wait: Duration, longest: Duration) -> Self {
            let clock = Arc::new(Clock::new(longest));
            let own = Arc::clone(&clock);
            let pool = SqlitePoolOptions::new()
                .max_connections(1)
                .acquire_timeout(wait)
                // It is tested when it comes back, and a file does not go away in between.
                .test_before_acquire(false)
                .after_connect(move |connection, _| {
                    let clock = Arc::clone(&own);
                    Box::pin(async move {
                        let mut handle = connection.lock_handle().await?;
                        handle.set_progress_handler(STEPS, move || clock.goes_on());
                        Ok(())
                    })
                })
                .connect_lazy_with(options.clone());
            Self { pool, clock }
        }
    }

    impl Lanes {
        /// So many at most, the first of them at once.
        pub(in crate::db) async fn open(
            options: SqliteConnectOptions,
            most: usize,
            wait: Duration,
            longest: Duration,
        ) -> Result<Self, Error> {
            let lanes = (0..most).map(|_| Lane::new(&options, wait, longest));
            let lanes = Self(lanes.collect());
            drop(lanes.untimed().await?);
            Ok(lanes)
        }

        /// A connection for a statement, and its clock.
        pub(in crate::db) async fn acquire(
            &self,
        ) -> Result<(PoolConnection<Sqlite>, Arc<Clock>), Error> {
            let with_clock = |lane: &Lane, connection| (connection, Arc::clone(&lane.clock));
            for lane in &*self.0 {
                if let Some(connection) = lane.pool.try_acquire() {
                    return Ok(with_clock(lane, connection));
                }
            }
            if let Some(lane) = self.0.iter().find(|lane| lane.pool.size() == 0) {
                return Ok(with_clock(lane, lane.pool.acquire().await?));
            }
            // All are in use: the first that is free.
            let each = self.0.iter().map(|lane| {
                let acquired = lane.pool.acquire();
                Box::pin(acquired.map_ok(move |connection| with_clock(lane, connection)))
            });
            Ok(futures_util::future::select_ok(each).await?.0)
        }

        /// A connection for what may take longer: migrations, checks at the start.
        pub(in crate::db) async fn untimed(&self) -> Result<PoolConnection<Sqlite>, Error> {
            self.first().acquire().await
        }

        /// The pool of the first one, which is all of a writer.
        pub(in crate::db) fn first(&self) -> &SqlitePool {
            &self.0[0].pool
        }

        /// The clock of the first one.
        pub(in crate::db) fn clock(&self) -> Arc<Clock> {
            Arc::clone(&self.0[0].clock)
        }

        pub(in crate::db) fn pools(&self) -> impl Iterator<Item = &SqlitePool> {
            self.0.iter().map(|lane| &lane.pool)
        }
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use sqlx::Executor as _;
    use sqlx::sqlite::SqliteConnectOptions;

    use super::*;
    use crate::db::error::DbError;

    const RUNAWAY: &str =
        "with recursive c (n) as (select 1 union all select n + 1 from c) select count(*) from c";
    /// Longer than anything here takes on a busy machine.
    const LONG: Duration = Duration::from_secs(60);

    async fn lanes(folder: &tempfile::TempDir, most: usize, longest: Duration) -> Lanes {
        let file = folder.path().join("app.sqlite");
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true);
        Lanes::open(options, most, LONG, longest).await.unwrap()
    }

    #[tokio::test]
    async fn ends_a_statement_that_runs_for_ever_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let lanes = lanes(&folder, 1, Duration::from_millis(300)).await;
        for _ in 0..2 {
            let (mut connection, clock) = lanes.acquire().await.unwrap();
            clock.start();
            let begun = Instant::now();
            let ended = tokio::time::timeout(LONG, connection.execute(RUNAWAY)).await;
            clock.stop();
            let error = DbError::from(ended.expect("it is ended").unwrap_err());
            assert!(matches!(error, DbError::TooLong(_)), "{error:?}");
            assert!(begun.elapsed() >= Duration::from_millis(290));
            // The connection is as good as before.
            clock.start();
            connection.execute("select 1").await.unwrap();
            clock.stop();
        }
        // Without a clock nothing is ended: this one takes longer than a statement may.
        let mut connection = lanes.untimed().await.unwrap();
        let begun = Instant::now();
        let mut rows = 1_000_000_u64;
        while begun.elapsed() < Duration::from_millis(600) {
            let text = format!(
                "with recursive c (n) as (select 1 union all select n + 1 from c limit {rows}) select count(*) from c"
            );
            connection.execute(sqlx::AssertSqlSafe(text)).await.unwrap();
            rows *= 2;
        }
    }

    #[tokio::test]
    async fn gives_back_the_connection_of_a_statement_that_nobody_waits_for() {
        let folder = tempfile::tempdir().unwrap();
        let lanes = lanes(&folder, 1, Duration::from_millis(300)).await;
        let (mut connection, clock) = lanes.acquire().await.unwrap();
        clock.start();
        let moment = Duration::from_millis(20);
        let left = tokio::time::timeout(moment, connection.execute(RUNAWAY)).await;
        assert!(left.is_err(), "it runs on");
        drop(connection);
        let (mut connection, _) = lanes.acquire().await.unwrap();
        connection.execute("select 1").await.unwrap();
    }

    #[tokio::test]
    async fn takes_a_connection_that_is_free_and_opens_no_more_than_it_may() {
        let folder = tempfile::tempdir().unwrap();
        let lanes = lanes(&folder, 3, LONG).await;
        let mut held = Vec::new();
        for _ in 0..3 {
            held.push(lanes.acquire().await.unwrap());
        }
        let open = || lanes.pools().map(sqlx::SqlitePool::size).sum::<u32>();
        assert_eq!(open(), 3);
        let waits = tokio::spawn({
            let lanes = lanes.clone();
            async move { lanes.acquire().await.map(drop) }
        });
        tokio::task::yield_now().await;
        assert!(!waits.is_finished());
        // Whichever comes back first is taken.
        drop(held.remove(1));
        waits.await.unwrap().unwrap();
        assert_eq!(open(), 3);
    }
}
