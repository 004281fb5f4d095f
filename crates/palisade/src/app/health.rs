//! Whether it lives, and whether it can work.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::access::Public;
use crate::db::{Db, Migrations};
use crate::error::{Error, Result};
use crate::input::{Json, Service};
use palisade_macros::{get, output, sql};

/// How long an answer of the database is taken for the present one: probes are no load, however many come.
const FRESH: Duration = Duration::from_secs(1);
/// A database that answers later than this is not reached; a balancer's own patience is mostly longer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whether the service can work: the database reached, its migrations there, no end in sight.
#[derive(Clone)]
pub(super) struct Readiness(Arc<Inner>);

struct Inner {
    db: Db,
    migrations: Vec<Migrations>,
    draining: AtomicBool,
    last: Mutex<Option<(Instant, bool)>>,
}

impl Readiness {
    pub(super) fn new(db: Db, migrations: Vec<Migrations>) -> Self {
        Self(Arc::new(Inner {
            db,
            migrations,
            draining: AtomicBool::new(false),
            last: Mutex::default(),
        }))
    }

    /// Balancers are to send no more: the service is about to end.
    pub(super) fn drain(&self) {
        self.0.draining.store(true, Ordering::Relaxed);
    }

    async fn check(&self) -> Result<()> {
        if self.0.draining.load(Ordering::Relaxed) {
            return Err(Error::unavailable().with_detail("the service is about to end"));
        }
        let mut last = self.0.last.lock().await;
        let reached = match *last {
            Some((at, reached)) if at.elapsed() < FRESH => reached,
            _ => {
                let reached = self.0.reaches_database().await;
                *last = Some((Instant::now(), reached));
                reached
            }
        };
        reached.then_some(()).ok_or_else(Error::unavailable)
    }
}

impl Inner {
    async fn reaches_database(&self) -> bool {
        match timeout(PATIENCE, self.ask()).await {
            Ok(Ok(true)) => true,
            Ok(Ok(false)) => {
                tracing::warn!("not ready: the database lacks migrations of this build");
                false
            }
            Ok(Err(error)) => {
                let cause = error.causes();
                tracing::warn!(cause, "not ready: the database does not answer");
                false
            }
            Err(_) => {
                tracing::warn!("not ready: the database does not answer in time");
                false
            }
        }
    }

    /// The readers by a statement, the writer by the list of migrations that it reads.
    async fn ask(&self) -> Result<bool> {
        let _: i64 = sql!("select 1").one(&self.db.reader()).await?;
        for migrations in &self.migrations {
            if !migrations.are_applied(&self.db).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

#[output]
pub(super) struct Health {
    status: &'static str,
}

/// The process answers: asks nobody, so that an orchestrator does not kill it for somebody else's fault.
#[get("/livez")]
pub(super) async fn livez(_: Public) -> Result<Json<Health>> {
    Ok(Json(Health { status: "alive" }))
}

#[get("/readyz")]
pub(super) async fn readyz(_: Public, readiness: Service<Readiness>) -> Result<Json<Health>> {
    readiness.check().await?;
    Ok(Json(Health { status: "ready" }))
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use super::*;
    use crate::auth;
    use crate::db::DbOptions;
    use crate::secret::Secret;
    use crate::secret::key::Key;

    async fn open(folder: &tempfile::TempDir) -> Db {
        let url = format!("sqlite:{}", folder.path().join("app.sqlite").display());
        let options = DbOptions {
            url: Secret::new(url),
            cursor_key: Key::generate(),
        };
        Db::open(options).await.unwrap()
    }

    fn readiness(db: &Db) -> Readiness {
        Readiness::new(db.clone(), vec![auth::MIGRATIONS])
    }

    #[tokio::test]
    async fn is_ready_with_its_migrations_until_it_drains() {
        let folder = tempfile::tempdir().unwrap();
        let db = open(&folder).await;
        assert_eq!(readiness(&db).check().await.unwrap_err().status(), 503);
        auth::MIGRATIONS.run(&db).await.unwrap();
        let readiness = readiness(&db);
        readiness.check().await.unwrap();
        readiness.drain();
        let refused = readiness.check().await.unwrap_err();
        assert_eq!(refused.status(), 503);
        assert_eq!(refused.detail(), Some("the service is about to end"));
    }

    #[tokio::test]
    async fn is_not_ready_while_the_writer_is_out_of_reach() {
        let folder = tempfile::tempdir().unwrap();
        let db = open(&folder).await;
        auth::MIGRATIONS.run(&db).await.unwrap();
        let stuck = db.begin().await.unwrap();
        let refused = readiness(&db).check().await.unwrap_err();
        assert_eq!(refused.status(), 503);
        stuck.commit().await.unwrap();
        readiness(&db).check().await.unwrap();
    }

    #[tokio::test]
    async fn is_not_ready_without_a_database() {
        let folder = tempfile::tempdir().unwrap();
        let db = open(&folder).await;
        auth::MIGRATIONS.run(&db).await.unwrap();
        db.close().await;
        assert_eq!(readiness(&db).check().await.unwrap_err().status(), 503);
    }
}
