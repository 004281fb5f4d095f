//! From a built app to a serving one: the database opened, migrated and checked, the router made.

use std::future::Future;
use std::sync::Arc;

use tokio::net::TcpListener;

use super::build::App;
use super::layer::wrap;
use super::router::router;
use crate::access::Authenticator;
use crate::auth::{self, Accounts, BreachedPasswords};
use crate::config::{Config, Environment, Problem, Refusal};
use crate::db::{self, Db, DbOptions};
use crate::perimeter::{Perimeter, serve};
use crate::secret::Secret;
use crate::store::LocalLimiter;

/// An app that passed every check and is ready to serve.
pub struct Started {
    perimeter: Perimeter,
    db: Db,
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
        let migrated = refusal.is_empty();
        if migrated {
            self.check_database(&db, &mut refusal).await;
        }
        let mut services = std::mem::take(&mut self.services);
        match Accounts::new(&config, self.roles.clone(), db.clone()) {
            Ok(mut accounts) => {
                if let Some(list) = services.get::<Arc<dyn BreachedPasswords>>() {
                    accounts = accounts.with_breached(Arc::clone(list));
                }
                if migrated && !has_every_pepper(&db, &accounts).await {
                    refusal.add(Problem::new(
                        "the database holds passwords that were hashed with a pepper which is not configured",
                        "`PALISADE_AUTH__PEPPER`",
                        "set it to the pepper that was in use, or `PALISADE_AUTH__PEPPER_PREVIOUS`, while there are such passwords",
                    ));
                }
                services.insert::<Arc<dyn Authenticator>>(Arc::new(accounts.clone()));
                services.insert(accounts);
            }
            Err(_) => refusal.add(Problem::new(
                "accounts cannot be made ready: the machine gives no thread, or the secret key cannot sign",
                "operating system and `PALISADE_SECRET_KEY`",
                "allow this user more threads, or take a new key: `openssl rand -base64 32`",
            )),
        }
        services.insert(db.clone());
        let limiter = LocalLimiter::default();
        let router = router(&self.routes, &config, &limiter, &Arc::new(services));
        let layers = std::mem::take(&mut self.layers);
        let has_layers = !layers.is_empty();
        let router = wrap(router, layers);
        let perimeter = Perimeter::new(&config, &self.routes, router, has_layers);
        refusal.or(Started { perimeter, db })
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

async fn has_every_pepper(db: &Db, accounts: &Accounts) -> bool {
    let unknown = auth::unknown_pepper(&db.reader(), accounts).await;
    // A database that does not answer is told of by the other checks.
    !unknown.unwrap_or(false)
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

    /// Serves on this listener until `stop` is done and what is under way has ended.
    pub async fn serve(self, listener: TcpListener, stop: impl Future<Output = ()>) {
        serve(listener, self.perimeter, stop).await;
        self.db.close().await;
    }
}
