//! The connections, one enum over the databases that are compiled in.

use std::borrow::Cow;
#[cfg(feature = "sqlite")]
use std::path::Path;
#[cfg(feature = "sqlite")]
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use sqlx::{AssertSqlSafe, Executor, SqlSafeStr, SqlStr};
use tokio::sync::Mutex;

use super::clock::Timed;
#[cfg(feature = "sqlite")]
use super::clock::{Clock, Lanes};
use super::error::DbError;
use super::row::RawRow;
use super::value::Value;
use crate::secret::key::Key;

/// How long a request waits for a free connection.
const WAIT: Duration = Duration::from_secs(3);
/// The longest that one statement or stream may run.
pub(super) const LONGEST: Duration = Duration::from_secs(30);

#[derive(Debug, Clone)]
pub(super) enum Pools {
    #[cfg(feature = "sqlite")]
    Sqlite { writer: Lanes, readers: Lanes },
    #[cfg(feature = "postgres")]
    Postgres {
        writer: sqlx::PgPool,
        readers: sqlx::PgPool,
    },
}

#[derive(Debug)]
pub(super) enum Transaction {
    #[cfg(feature = "sqlite")]
    Sqlite(Mutex<sqlx::Transaction<'static, sqlx::Sqlite>>, Arc<Clock>),
    #[cfg(feature = "postgres")]
    Postgres(Mutex<sqlx::Transaction<'static, sqlx::Postgres>>),
}

/// Where a statement runs.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    pub(super) on: On<'a>,
    pub(super) cursor_key: &'a Key,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum On<'a> {
    Writer(&'a Pools),
    Readers(&'a Pools),
    Within(&'a Transaction),
}

impl Pools {
    pub(super) async fn open(url: &str, longest: Duration) -> Result<Self, DbError> {
        match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => open_sqlite(url, longest).await,
            Some("postgres" | "postgresql") => open_postgres(url, longest).await,
            _ => Err(DbError::Address(
                "the database's address starts with neither `sqlite:` nor `postgres:`".to_owned(),
            )),
        }
    }

    pub(super) async fn begin(&self) -> Result<Transaction, DbError> {
        On::Writer(self).note_wait();
        Ok(match self {
            // A deferred transaction that writes later can fail as busy at its first write; an immediate one waits its turn.
            #[cfg(feature = "sqlite")]
            Self::Sqlite { writer, .. } => {
                let tx = writer.first().begin_with("begin immediate").await?;
                Transaction::Sqlite(Mutex::new(tx), writer.clock())
            }
            #[cfg(feature = "postgres")]
            Self::Postgres { writer, .. } => {
                Transaction::Postgres(Mutex::new(writer.begin().await?))
            }
        })
    }

    pub(super) async fn close(&self) {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite { writer, readers } => {
                for pool in readers.pools().chain(writer.pools()) {
                    pool.close().await;
                }
            }
            #[cfg(feature = "postgres")]
            Self::Postgres { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
        }
    }
}

impl Transaction {
    pub(super) async fn commit(self) -> Result<(), DbError> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(tx, clock) => {
                clock.stop();
                tx.into_inner().commit().await?;
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(tx) => tx.into_inner().commit().await?,
        }
        Ok(())
    }
}

#[cfg(feature = "sqlite")]
async fn open_sqlite(url: &str, longest: Duration) -> Result<Pools, DbError> {
    use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

    let path = url.trim_start_matches("sqlite:").trim_start_matches("//");
    if path.is_empty() || path.starts_with(":memory:") || path.contains('?') {
        return Err(DbError::Address(
            "the SQLite address is `sqlite:` and the path of a file, nothing more".to_owned(),
        ));
    }
    prepare_file(Path::new(path))?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // FULL: an acknowledged write survives the loss of power too, not only the loss of the process.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5));
    let begun = std::time::Instant::now();
    let writer = loop {
        match Lanes::open(options.clone(), 1, WAIT, longest).await {
            // Two that make one file at once: the change to a write-ahead log does not wait, whatever time it is given.
            Err(error) if is_busy(&error) && begun.elapsed() < WAIT => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            opened => break opened?,
        }
    };
    let most = std::thread::available_parallelism().map_or(4, |n| n.get());
    let options = options.pragma("query_only", "on");
    let readers = Lanes::open(options, most.clamp(2, 16), WAIT, longest).await?;
    Ok(Pools::Sqlite { writer, readers })
}

/// `SQLITE_BUSY`, or one of its kinds.
#[cfg(feature = "sqlite")]
fn is_busy(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    let code = code.and_then(|code| code.parse::<u32>().ok());
    code.is_some_and(|code| code & 0xff == 5)
}

/// Makes the folder and the file, readable by the service's own user alone.
#[cfg(feature = "sqlite")]
fn prepare_file(path: &Path) -> Result<(), DbError> {
    let refused = |error: std::io::Error| {
        DbError::Address(format!(
            "the database file {} cannot be opened for writing: {error}",
            path.display()
        ))
    };
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        std::fs::create_dir_all(folder).map_err(refused)?;
    }
    let mut open = std::fs::OpenOptions::new();
    open.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut open, 0o600);
    open.open(path).map(drop).map_err(refused)
}

#[cfg(not(feature = "sqlite"))]
async fn open_sqlite(_: &str, _: Duration) -> Result<Pools, DbError> {
    Err(DbError::Address(
        "this build has no SQLite: switch on palisade's feature `sqlite`".to_owned(),
    ))
}

#[cfg(feature = "postgres")]
async fn open_postgres(url: &str, longest: Duration) -> Result<Pools, DbError> {
    use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgSslMode};

    let malformed = || {
        DbError::Address(
            "the PostgreSQL address is not of the form `postgres://user:password@host/database`"
                .to_owned(),
        )
    };
    let parsed = url::Url::parse(url).map_err(|_| malformed())?;
    let host = parsed
        .host_str()
        .filter(|host| !host.is_empty())
        .ok_or_else(malformed)?
        .to_owned();
    // A parameter could name another host or switch TLS off; the certificate of a private authority is all that is wanted.
    if parsed.query_pairs().any(|(name, _)| name != "sslrootcert") {
        return Err(DbError::Address(
            "the PostgreSQL address takes no parameter but `sslrootcert`".to_owned(),
        ));
    }
    let mut options = url.parse::<PgConnectOptions>().map_err(|_| malformed())?;
    let local = matches!(host.as_str(), "localhost" | "127.0.0.1" | "[::1]");
    if !local {
        // sqlx's default falls back to plain text in silence.
        options = options.ssl_mode(PgSslMode::VerifyFull);
    }
    let limit = longest.as_millis().to_string();
    options = options
        .application_name("palisade")
        .options([("statement_timeout", limit.as_str())]);
    let pool = || {
        PgPoolOptions::new()
            .max_connections(10)
            .acquire_timeout(WAIT)
    };
    let writer = pool().connect_with(options.clone()).await?;
    let readers = pool()
        .connect_with(options.options([("default_transaction_read_only", "on")]))
        .await?;
    Ok(Pools::Postgres { writer, readers })
}

#[cfg(not(feature = "postgres"))]
async fn open_postgres(_: &str, _: Duration) -> Result<Pools, DbError> {
    Err(DbError::Address(
        "this build has no PostgreSQL: switch on palisade's feature `postgres`".to_owned(),
    ))
}

pub(super) fn safe(text: Cow<'static, str>) -> SqlStr {
    match text {
        Cow::Borrowed(text) => SqlStr::from_static(text),
        // Made by `Builder` from literals and placeholders alone.
        Cow::Owned(text) => AssertSqlSafe(text).into_sql_str(),
    }
}

fn ended(clock: &Timed) {
    if let Some(clock) = clock {
        clock.stop();
    }
}

/// Runs `$body` with the driver's connection, argument maker and row wrapper, whichever database it is, and with the clock that the
/// body stops when its statement has ended.
macro_rules! on_connection {
    ($on:expr, |$connection:ident, $clock:ident, $arguments:ident, $wrap:ident| $body:expr) => {{
        $on.note_wait();
        match $on {
            #[cfg(feature = "sqlite")]
            On::Writer(Pools::Sqlite { writer: lanes, .. })
            | On::Readers(Pools::Sqlite { readers: lanes, .. }) => {
                let (mut own, clock) = lanes.acquire().await?;
                clock.start();
                let ($connection, $clock) = (&mut *own, Timed::Some(clock));
                let ($arguments, $wrap) = (super::value::sqlite_arguments, RawRow::Sqlite);
                $body
            }
            #[cfg(feature = "postgres")]
            On::Writer(Pools::Postgres { writer: pool, .. })
            | On::Readers(Pools::Postgres { readers: pool, .. }) => {
                let mut own = pool.acquire().await?;
                let ($connection, $clock) = (&mut *own, Timed::None);
                let ($arguments, $wrap) = (super::value::postgres_arguments, RawRow::Postgres);
                $body
            }
            #[cfg(feature = "sqlite")]
            On::Within(Transaction::Sqlite(tx, clock)) => {
                let mut tx = tx.lock().await;
                clock.start();
                let ($connection, $clock) = (&mut **tx, Timed::Some(Arc::clone(clock)));
                let ($arguments, $wrap) = (super::value::sqlite_arguments, RawRow::Sqlite);
                $body
            }
            #[cfg(feature = "postgres")]
            On::Within(Transaction::Postgres(tx)) => {
                let mut tx = tx.lock().await;
                let ($connection, $clock) = (&mut **tx, Timed::None);
                let ($arguments, $wrap) = (super::value::postgres_arguments, RawRow::Postgres);
                $body
            }
        }
    }};
}

impl<'a> Target<'a> {
    pub(super) fn cursor_key(&self) -> &'a Key {
        self.cursor_key
    }

    pub(super) async fn execute(
        self,
        text: Cow<'static, str>,
        values: Vec<Value>,
    ) -> Result<u64, DbError> {
        on_connection!(self.on, |connection, clock, arguments, wrap| {
            let _ = wrap;
            let query = sqlx::query_with(safe(text), arguments(values)?);
            let outcome = connection.execute(query).await;
            ended(&clock);
            Ok(outcome?.rows_affected())
        })
    }

    /// The first `most` rows; what follows is not read.
    pub(super) async fn fetch(
        self,
        text: Cow<'static, str>,
        values: Vec<Value>,
        most: usize,
    ) -> Result<Vec<RawRow>, DbError> {
        on_connection!(self.on, |connection, clock, arguments, wrap| {
            let query = sqlx::query_with(safe(text), arguments(values)?);
            let mut steps = connection.fetch_many(query);
            let mut found = Vec::new();
            while found.len() < most {
                let step = steps.try_next().await;
                if !matches!(step, Ok(Some(_))) {
                    ended(&clock);
                }
                match step? {
                    Some(step) => found.extend(step.right().map(wrap)),
                    None => break,
                }
            }
            Ok(found)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUNAWAY: &str =
        "with recursive c (n) as (select 1 union all select n + 1 from c) select count(*) from c";
    /// Longer than anything here takes on a busy machine.
    const LONG: Duration = Duration::from_secs(60);

    /// What a request is told of a statement that never ends, on this database.
    async fn check(url: &str) {
        let pools = Pools::open(url, Duration::from_millis(500)).await.unwrap();
        let cursor_key = &Key::generate();
        let tx = pools.begin().await.unwrap();
        for on in [On::Readers(&pools), On::Within(&tx)] {
            let target = Target { on, cursor_key };
            let fetched = target.fetch(RUNAWAY.into(), Vec::new(), 2);
            let error = tokio::time::timeout(LONG, fetched).await;
            let error = error.expect("it is ended").err().unwrap();
            assert!(matches!(error, DbError::TooLong(_)), "{error:?}");
            assert_eq!(error.into_error().status(), 504);
        }
        drop(tx);
        for on in [On::Readers(&pools), On::Writer(&pools)] {
            let target = Target { on, cursor_key };
            let fetched = target.fetch("select 1".into(), Vec::new(), 2).await;
            assert_eq!(fetched.unwrap().len(), 1);
        }
        pools.close().await;
    }

    #[cfg(feature = "sqlite")]
    #[tokio::test]
    async fn ends_a_runaway_statement_of_sqlite() {
        let folder = tempfile::tempdir().unwrap();
        check(&format!(
            "sqlite:{}",
            folder.path().join("a.sqlite").display()
        ))
        .await;
    }

    #[cfg(feature = "postgres")]
    #[tokio::test]
    async fn ends_a_runaway_statement_of_postgresql() {
        match std::env::var("PALISADE_TEST_POSTGRES") {
            Ok(server) => check(&server).await,
            Err(_) if std::env::var_os("CI").is_some() => {
                panic!("PALISADE_TEST_POSTGRES is not set")
            }
            Err(_) => println!("skipped: PALISADE_TEST_POSTGRES names no server"),
        }
    }
}
