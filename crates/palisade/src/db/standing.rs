//! How full the pools are, for the metrics.

use std::sync::atomic::{AtomicU64, Ordering};

use sqlx::{Database, Pool};

use super::handle::Db;
use super::pools::{On, Pools};
use crate::event::metrics::Page;

/// Statements that found every connection of their pool in use.
static WAITS: [AtomicU64; 2] = [const { AtomicU64::new(0) }; _];
const NAMES: [&str; 2] = ["writer", "readers"];
const WRITER: usize = 0;
const READERS: usize = 1;

#[derive(Default)]
struct Standing {
    open: u32,
    idle: usize,
    most: u32,
}

impl Standing {
    fn of<'a, D: Database>(pools: impl IntoIterator<Item = &'a Pool<D>>) -> Self {
        let mut all = Self::default();
        for pool in pools {
            all.open += pool.size();
            all.idle += idle(pool.num_idle(), pool.size());
            all.most += pool.options().get_max_connections();
        }
        all
    }
}

/// The driver counts a connection that comes back a moment after it can be taken again, so its count of an empty pool can be one below none.
fn idle(counted: usize, open: u32) -> usize {
    if counted > open as usize { 0 } else { counted }
}

impl Pools {
    fn standing(&self, pool: usize) -> Standing {
        match (self, pool) {
            #[cfg(feature = "sqlite")]
            (Self::Sqlite { writer, .. }, WRITER) => Standing::of(writer.pools()),
            #[cfg(feature = "sqlite")]
            (Self::Sqlite { readers, .. }, _) => Standing::of(readers.pools()),
            #[cfg(feature = "postgres")]
            (Self::Postgres { writer, .. }, WRITER) => Standing::of([writer]),
            #[cfg(feature = "postgres")]
            (Self::Postgres { readers, .. }, _) => Standing::of([readers]),
        }
    }
}

impl On<'_> {
    /// Counts what comes next if it has to wait for a connection.
    pub(super) fn note_wait(self) {
        let (pools, pool) = match self {
            Self::Writer(pools) => (pools, WRITER),
            Self::Readers(pools) => (pools, READERS),
            // A transaction has its connection.
            Self::Within(_) => return,
        };
        let standing = pools.standing(pool);
        if standing.idle == 0 && standing.open >= standing.most {
            WAITS[pool].fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Db {
    /// Writes how its pools stand.
    pub(crate) fn write(&self, page: &mut Page) {
        let standing = [WRITER, READERS].map(|pool| self.pools().standing(pool));
        for (name, help, value) in [
            (
                "palisade_database_connections",
                "Connections to the database that are open, by pool.",
                standing.each_ref().map(|pool| u64::from(pool.open)),
            ),
            (
                "palisade_database_connections_idle",
                "Connections to the database that nobody uses now, by pool.",
                standing.each_ref().map(|pool| pool.idle as u64),
            ),
            (
                "palisade_database_connections_max",
                "Connections to the database that may be open, by pool.",
                standing.each_ref().map(|pool| u64::from(pool.most)),
            ),
        ] {
            let mut gauge = page.gauge(name, help);
            for (name, value) in NAMES.iter().zip(value) {
                gauge.value(&[("pool", name)], value);
            }
        }
        let mut waits = page.counter(
            "palisade_database_waits_total",
            "Statements that found every connection of their pool in use, and waited, by pool.",
        );
        for (name, count) in NAMES.iter().zip(&WAITS) {
            waits.value(&[("pool", name)], count.load(Ordering::Relaxed));
        }
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use super::*;
    use crate::db::DbOptions;
    use crate::secret::Secret;
    use crate::secret::key::Key;

    fn waits(db: &Db) -> u64 {
        let mut page = Page::default();
        db.write(&mut page);
        let page = page.into_text();
        let series = r#"palisade_database_waits_total{pool="writer"} "#;
        let line = page.lines().find_map(|line| line.strip_prefix(series));
        line.unwrap().parse().unwrap()
    }

    #[tokio::test]
    async fn counts_who_has_to_wait_for_the_writer() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("app.sqlite").display());
        let options = DbOptions {
            url: Secret::new(url),
            cursor_key: Key::generate(),
        };
        let db = Db::open(options).await.unwrap();
        let first = db.begin().await.unwrap();
        let before = waits(&db);
        let waiting = tokio::spawn({
            let db = db.clone();
            async move { db.begin().await.map(drop) }
        });
        let counted = async {
            while waits(&db) == before {
                tokio::task::yield_now().await;
            }
        };
        let most = std::time::Duration::from_secs(60);
        tokio::time::timeout(most, counted).await.unwrap();
        first.commit().await.unwrap();
        waiting.await.unwrap().unwrap();
    }

    #[test]
    fn takes_a_count_below_none_for_none() {
        assert_eq!(idle(0_usize.wrapping_sub(1), 1), 0);
        assert_eq!((idle(0, 1), idle(1, 1), idle(2, 3)), (0, 1, 2));
    }
}
