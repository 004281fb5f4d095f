//! From a built app to a serving one: the database opened, migrated and checked, the router made.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use super::build::App;
use super::health::Readiness;
use super::layer::wrap;
use super::mailing::outbox;
use super::management::{Management, Opened, Sources};
use super::router::{limit_of, router};
use crate::access::Authenticator;
use crate::auth::{self, Accounts, BreachedPasswords, Templates};
use crate::config::{Config, Environment, Problem, Refusal};
use crate::db::{self, Db, DbOptions};
use crate::endpoint::Once;
use crate::event::metrics::Metrics;
use crate::input::ScopeInfo;
use crate::mail::Outbox;
use crate::perimeter::{Inherited, Listeners, Perimeter, Serving, Tls, serve};
use crate::secret::Secret;
use crate::store::LocalLimiter;

/// How long the database may take to let go.
const CLOSING: std::time::Duration = std::time::Duration::from_secs(5);
/// How long mail that still waits may take to leave.
const POSTING: std::time::Duration = std::time::Duration::from_secs(10);

/// An app that passed every check and is ready to serve.
pub struct Started {
    perimeter: Perimeter,
    serving: Serving,
    config: Config,
    db: Db,
    accounts: Accounts,
    readiness: Readiness,
    management: Option<Management>,
    opened: Option<Opened>,
    outbox: Outbox,
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
        let (tls, mut refusal) = certificates(&config);
        let db = match open(&config).await {
            Ok(db) => db,
            Err(more) => {
                refusal.merge(more);
                return Err(refusal);
            }
        };
        let known = refusal.problems().len();
        self.migrate(&db, pending, &mut refusal).await;
        let migrated = refusal.problems().len() == known;
        if migrated {
            self.check_database(&db, &mut refusal).await;
        }
        let mut services = std::mem::take(&mut self.services);
        let outbox = outbox(&services, &config).unwrap_or_else(|problem| {
            refusal.add(problem);
            Outbox::new(None)
        });
        let mut accounts = match Accounts::new(&config, self.roles.clone(), db.clone()) {
            Ok(accounts) => accounts
                .with_scopes(&self.scopes())
                .with_outbox(outbox.clone()),
            Err(_) => {
                refusal.add(Problem::new(
                    "accounts cannot be made ready: the machine gives no thread, or the secret key cannot sign",
                    "operating system and `PALISADE_SECRET_KEY`",
                    "allow this user more threads, or take a new key: `openssl rand -base64 32`",
                ));
                return Err(refusal);
            }
        };
        if let Some(list) = services.get::<Arc<dyn BreachedPasswords>>() {
            accounts = accounts.with_breached(Arc::clone(list));
        }
        if let Some(templates) = services.get::<Arc<dyn Templates>>() {
            accounts = accounts.with_templates(Arc::clone(templates));
        }
        if migrated && !has_every_pepper(&db, &accounts).await {
            refusal.add(Problem::new(
                "the database holds passwords that were hashed with a pepper which is not configured",
                "`PALISADE_AUTH__PEPPER`",
                "set it to the pepper that was in use, or `PALISADE_AUTH__PEPPER_PREVIOUS`, while there are such passwords",
            ));
        }
        services.insert_own::<Arc<dyn Authenticator>>(Arc::new(accounts.clone()));
        services.insert_own(accounts.api_keys().clone());
        services.insert_own(accounts.clone());
        services.insert_own(Once::new(&config, db.clone()));
        services.insert_own(outbox.clone());
        services.insert_own(db.clone());
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
        let serving = Serving::new(&config, tls);
        refusal.or(Started {
            perimeter,
            serving,
            db,
            accounts,
            readiness,
            management,
            opened: None,
            outbox,
            config,
        })
    }

    /// The scopes of API keys that the routes ask for.
    fn scopes(&self) -> Vec<ScopeInfo> {
        let arguments = self.routes.iter().flat_map(|route| route.arguments);
        arguments.filter_map(|argument| argument.scope).collect()
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
        match db::check_erasure(db, auth::ACCOUNTS).await {
            Ok(faults) => {
                for fault in faults {
                    refusal.add(Problem::new(fault.what, fault.place, fault.fix));
                }
            }
            Err(error) => refusal.add(Problem::new(
                format!("the foreign keys of the database cannot be looked into: {error}"),
                "database",
                "start it, or let the service's user read its catalogue",
            )),
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
        match auth::unknown_scopes(&db.reader(), &self.scopes()).await {
            Ok(unknown) => {
                for scope in unknown {
                    refusal.add(Problem::new(
                        format!("the database gives an API key the scope `{scope}`, which no route asks for"),
                        "table palisade_api_keys",
                        "add the route whose first argument is an `ApiClient` of this scope, or delete such keys in the database",
                    ));
                }
            }
            Err(_) => refusal.add(Problem::new(
                "the scopes of API keys cannot be read",
                "table palisade_api_keys",
                "run this program once with `migrate`",
            )),
        }
    }
}

/// What TLS is served with, where this process ends it.
fn certificates(config: &Config) -> (Option<Tls>, Refusal) {
    match config.tls.as_ref().map(Tls::load) {
        Some(Ok((tls, notices))) => {
            for notice in notices {
                tracing::warn!("{notice}");
            }
            (Some(tls), Refusal::default())
        }
        Some(Err(refusal)) => (None, refusal),
        None => (None, Refusal::default()),
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

    /// Everything that accounts need, for what an app does with them outside of requests.
    pub fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// What the perimeter does, in one line.
    pub fn summary(&self) -> &str {
        self.perimeter.summary()
    }

    /// Opens what the settings name, or takes the sockets that the service was started with.
    ///
    /// # Errors
    /// A port that is taken or not allowed, an address of another machine, a Unix socket that is in use.
    pub async fn listen(&self, inherited: Inherited) -> Result<Listeners, Refusal> {
        Listeners::open(&self.config, inherited).await
    }

    /// Whether this process ends TLS.
    pub fn is_secure(&self) -> bool {
        self.serving.is_secure()
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
            Ok(opened) => {
                let address = opened.0.local_addr().ok();
                self.opened = Some(opened);
                Ok(address)
            }
            Err(problem) => {
                let mut refusal = Refusal::default();
                refusal.add(problem);
                Err(refusal)
            }
        }
    }

    /// Serves on these listeners until `stop` is done and what is under way has ended.
    ///
    /// When `stop` is done, `/readyz` says 503, and for the time of `serve.drain_delay` nothing else changes: balancers learn that
    /// they are to send no more before the listeners close. Metrics are told until the end.
    pub async fn serve(self, listeners: impl Into<Listeners>, stop: impl Future<Output = ()>) {
        let (readiness, delay) = (self.readiness, self.config.serve.drain_delay);
        let stop = async move {
            stop.await;
            readiness.drain();
            tokio::time::sleep(delay).await;
        };
        let (ended, over) = tokio::sync::oneshot::channel::<()>();
        let management = self.opened.map(|(listener, perimeter, serving)| {
            let over = async { drop(over.await) };
            tokio::spawn(serve(listener.into(), perimeter, serving, over))
        });
        serve(listeners.into(), self.perimeter, self.serving, stop).await;
        drop(ended);
        if let Some(management) = management {
            let _ = management.await;
        }
        self.outbox.close(POSTING).await;
        // A statement that nobody waits for any more must not hold the end.
        let _ = tokio::time::timeout(CLOSING, self.db.close()).await;
    }
}
