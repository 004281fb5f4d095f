//! From a built app to a serving one: the database opened, migrated and checked, the router made.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;

use super::build::App;
use super::health::Readiness;
use super::layer::wrap;
use super::management::{Management, Sources};
use super::router::{limit_of, router};
use crate::access::Authenticator;
use crate::auth::{self, Accounts};
use crate::config::{Config, Environment, Problem, Refusal};
use crate::db::{self, Db, DbOptions};
use crate::event::metrics::Metrics;
use crate::perimeter::{Perimeter, serve};
use crate::secret::Secret;
use crate::store::LocalLimiter;

/// An app that passed every check and is ready to serve.
pub struct Started {
    perimeter: Perimeter,
    db: Db,
    readiness: Readiness,
    drain_delay: Duration,
    management: Option<Management>,
    opened: Option<(TcpListener, Perimeter)>,
}

impl std::fmt::Debug for Started {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Started").finish_non_exhaustive()
    }
}

/// What to do about migrations that are not applied yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pending {
    /// Apply them.
    Apply,
    /// Refuse to start.
    Refuse,
}

impl App {
    /// Opens the database, applies or checks migrations, prepares every statement and makes the router.
    ///
    /// In development pending migrations are applied; in production they are a refusal.
    ///
    /// # Errors
    /// Every problem at once.
    pub async fn start(self) -> Result<Started, Refusal> {
        let development = self
            .config
            .as_ref()
            .is_some_and(|config| config.env == Environment::Development);
        self.start_with(if development {
            Pending::Apply
        } else {
            Pending::Refuse
        })
        .await
    }

    pub(super) async fn start_with(mut self, pending: Pending) -> Result<Started, Refusal> {
        let Some(config) = self.config.take() else {
            return Err(Refusal::default());
        };
        let db = open(&config).await?;
        let mut refusal = Refusal::default();
        self.migrate(&db, pending, &mut refusal).await;
        if refusal.is_empty() {
            self.check_database(&db, &mut refusal).await;
        }
        let mut services = std::mem::take(&mut self.services);
        match Accounts::new(&config, self.roles.clone(), db.clone()) {
            Ok(accounts) => {
                services.insert::<Arc<dyn Authenticator>>(Arc::new(accounts.clone()));
                services.insert(accounts);
            }
            Err(_) => refusal.add(Problem::new(
                "the machine gives no random numbers",
                "operating system",
                "mend its random number source",
            )),
        }
        services.insert(db.clone());
        let migrations = [Some(auth::MIGRATIONS), self.migrations];
        let readiness = Readiness::new(db.clone(), migrations.into_iter().flatten().collect());
        services.insert(readiness.clone());
        let limiter = LocalLimiter::default();
        let router = router(&self.routes, &config, &limiter, &Arc::new(services));
        let layers = std::mem::take(&mut self.layers);
        let has_layers = !layers.is_empty();
        let router = wrap(router, layers);
        let mut perimeter = Perimeter::new(&config, &self.routes, router, has_layers);
        let mut management = None;
        if let Some(address) = config.metrics.listen {
            let metrics = Arc::new(self.metrics(&config));
            perimeter = perimeter.counted(Arc::clone(&metrics));
            let sources = Sources {
                metrics,
                load: perimeter.load(),
                db: db.clone(),
                package: self.package,
            };
            let readiness = readiness.clone();
            management = Some(Management::new(
                address, &config, &limiter, sources, readiness,
            ));
        }
        refusal.or(Started {
            perimeter,
            db,
            readiness,
            drain_delay: config.serve.drain_delay,
            management,
            opened: None,
        })
    }

    fn metrics(&self, config: &Config) -> Metrics {
        let routes = self.routes.iter().map(|route| (route.method, route.path));
        let limits = self
            .routes
            .iter()
            .filter_map(|route| limit_of(route, config).ok().flatten())
            .map(|(name, _)| name);
        Metrics::new(routes, std::iter::once("client").chain(limits))
    }

    async fn migrate(&self, db: &Db, pending: Pending, refusal: &mut Refusal) {
        for set in [Some(auth::MIGRATIONS), self.migrations]
            .into_iter()
            .flatten()
        {
            let outcome = match pending {
                Pending::Apply => set.run(db).await.map(|()| Vec::new()),
                Pending::Refuse => set.pending(db).await,
            };
            match outcome {
                Ok(files) if files.is_empty() => {}
                Ok(files) => refusal.add(Problem::new(
                    format!("the database lacks the migrations {}", files.join(", ")),
                    "database",
                    "run this program once with `migrate`",
                )),
                Err(error) => refusal.add(Problem::new(
                    error.to_string(),
                    "migrations",
                    "mend what it says, then run this program with `migrate`",
                )),
            }
        }
    }

    async fn check_database(&self, db: &Db, refusal: &mut Refusal) {
        for fault in db::check(db).await {
            refusal.add(Problem::new(fault.what, fault.place, fault.fix));
        }
        match auth::unknown_roles(&db.reader(), &self.roles).await {
            Ok(unknown) => {
                for role in unknown {
                    refusal.add(Problem::new(
                        format!("the database gives somebody the role `{role}`, which the code does not know"),
                        "table palisade_account_roles",
                        "add `.role(Role::new(…))` where the app is built, or take the role away in the database",
                    ));
                }
            }
            Err(_) => refusal.add(Problem::new(
                "the roles of accounts cannot be read",
                "table palisade_account_roles",
                "run this program once with `migrate`",
            )),
        }
    }
}

async fn open(config: &Config) -> Result<Db, Refusal> {
    let url = Secret::new(config.database_url.expose().clone());
    let options = DbOptions {
        url,
        cursor_key: config.secret_key.derive("cursors"),
    };
    Db::open(options).await.map_err(|error| {
        let mut refusal = Refusal::default();
        refusal.add(match error {
            db::DbError::Address(what) => Problem::new(
                what,
                "DATABASE_URL",
                "set it to `sqlite:data/app.sqlite` or `postgres://user:password@host/database`",
            ),
            _ => Problem::new(
                "the database does not answer",
                "DATABASE_URL",
                "start the database, or correct the address, user or password",
            ),
        });
        refusal
    })
}

impl Started {
    /// The database.
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// What the perimeter does, in one line.
    pub fn summary(&self) -> &str {
        self.perimeter.summary()
    }

    /// Opens the port of the metrics, when the settings name one; gives its address.
    ///
    /// # Errors
    /// When it is taken or not allowed.
    pub async fn open_metrics(&mut self) -> Result<Option<SocketAddr>, Refusal> {
        let Some(management) = self.management.take() else {
            return Ok(None);
        };
        match management.open().await {
            Ok((listener, perimeter)) => {
                let address = listener.local_addr().ok();
                self.opened = Some((listener, perimeter));
                Ok(address)
            }
            Err(problem) => {
                let mut refusal = Refusal::default();
                refusal.add(problem);
                Err(refusal)
            }
        }
    }

    /// Serves on this listener until `stop` is done and what is under way has ended.
    ///
    /// When `stop` is done, `/readyz` says 503, and for the time of `serve.drain_delay` nothing else changes: balancers learn that
    /// they are to send no more before the listener closes. Metrics are told until the end.
    pub async fn serve(self, listener: TcpListener, stop: impl Future<Output = ()>) {
        let (readiness, delay) = (self.readiness, self.drain_delay);
        let stop = async move {
            stop.await;
            readiness.drain();
            tokio::time::sleep(delay).await;
        };
        let (ended, over) = tokio::sync::oneshot::channel::<()>();
        let management = self.opened.map(|(listener, perimeter)| {
            let over = async { drop(over.await) };
            tokio::spawn(serve(listener, perimeter, over))
        });
        serve(listener, self.perimeter, stop).await;
        drop(ended);
        if let Some(management) = management {
            let _ = management.await;
        }
        self.db.close().await;
    }
}
