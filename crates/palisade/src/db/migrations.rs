//! Migrations: plain SQL files, embedded, applied in order, never changed afterwards.

use sqlx::migrate::{Migrate as _, MigrateError, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, SqlSafeStr};
#[cfg(feature = "sqlite")]
use sqlx::{ConnectOptions as _, Row as _};

use super::error::DbError;
use super::handle::Db;
use super::pools::Pools;

/// How long an instance waits for another one to migrate a SQLite file.
#[cfg(feature = "sqlite")]
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(600);

/// One migration file.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// The number before the underscore of the file's name.
    pub version: i64,
    /// The file's name.
    pub file: &'static str,
    /// What it holds.
    pub sql: &'static str,
}

/// A set of migrations, made by `migrations!("migrations")`.
#[derive(Debug, Clone, Copy)]
pub struct Migrations {
    table: &'static str,
    files: &'static [Migration],
}

impl Migrations {
    #[doc(hidden)]
    pub const fn of_app(files: &'static [Migration]) -> Self {
        Self {
            table: "app_migrations",
            files,
        }
    }

    pub(crate) const fn of_framework(files: &'static [Migration]) -> Self {
        Self {
            table: "palisade_migrations",
            files,
        }
    }

    #[cfg(test)]
    pub(crate) const fn files(&self) -> &'static [Migration] {
        self.files
    }

    /// Applies what is not applied yet; instances that start together wait for each other.
    ///
    /// A file that fails leaves nothing of itself behind. On PostgreSQL each file is one transaction; on SQLite the whole run is
    /// one, because its lock is what the other instances wait for. A run that was killed is done again by the next start.
    ///
    /// On SQLite foreign keys are checked at the end of the run and not before, so that a file may rebuild a table by
    /// `create`, `insert … select`, `drop` and `rename` without losing the rows that refer to it.
    ///
    /// # Errors
    /// When an applied file was changed or removed since, or a file's SQL fails.
    pub async fn run(&self, db: &Db) -> Result<(), DbError> {
        // A connection of its own, closed afterwards: a failed run leaves the lock with its connection, and a migration may
        // take longer than a statement of a request.
        match db.pools() {
            #[cfg(feature = "sqlite")]
            Pools::Sqlite { writer, .. } => {
                // Switching them off means nothing within a transaction.
                let options = (*writer.first().connect_options())
                    .clone()
                    .foreign_keys(false);
                let mut connection = options.busy_timeout(PATIENCE).connect().await?;
                let outcome = self.run_on_sqlite(&mut connection).await;
                connection.close().await?;
                outcome
            }
            #[cfg(feature = "postgres")]
            Pools::Postgres { writer, .. } => {
                let mut connection = writer.acquire().await?.detach();
                let outcome = self.run_on_postgres(&mut connection).await;
                connection.close().await?;
                outcome
            }
        }
    }

    #[cfg(feature = "sqlite")]
    async fn run_on_sqlite(&self, connection: &mut sqlx::SqliteConnection) -> Result<(), DbError> {
        let mut tx = connection.begin_with("begin immediate").await?;
        let outcome = self.migrator().run(&mut *tx).await;
        outcome.map_err(|error| self.explain(error))?;
        if let Some(row) = tx.fetch_optional("pragma foreign_key_check").await? {
            let (table, parent): (String, String) = (row.try_get(0)?, row.try_get(2)?);
            return Err(DbError::Migration(format!(
                "the migrations leave rows in {table} that refer to rows of {parent} which are not there"
            )));
        }
        Ok(tx.commit().await?)
    }

    #[cfg(feature = "postgres")]
    async fn run_on_postgres(&self, connection: &mut sqlx::PgConnection) -> Result<(), DbError> {
        connection.execute("set statement_timeout = 0").await?;
        // Else the statement of a killed run would go on, with the lock in its hands; PostgreSQL 14 and newer can tell.
        connection
            .execute("select set_config(name, '1000', false) from pg_settings where name = 'client_connection_check_interval'")
            .await?;
        let outcome = self.migrator().run(&mut *connection).await;
        outcome.map_err(|error| self.explain(error))
    }

    /// The files that are not applied yet; it only reads, so that a service may run as a user who cannot change tables.
    ///
    /// # Errors
    /// When an applied file was changed or removed since, or the database does not answer.
    pub async fn pending(&self, db: &Db) -> Result<Vec<&'static str>, DbError> {
        let applied = match db.pools() {
            #[cfg(feature = "sqlite")]
            Pools::Sqlite { readers, .. } => {
                let mut connection = readers.untimed().await?;
                let table = format!("select 1 from sqlite_schema where name = '{}'", self.table);
                match connection.fetch_optional(AssertSqlSafe(table)).await? {
                    Some(_) => connection.list_applied_migrations(self.table).await,
                    None => Ok(Vec::new()),
                }
            }
            #[cfg(feature = "postgres")]
            Pools::Postgres { readers, .. } => {
                let mut connection = readers.acquire().await?;
                let table = format!("select 1 where to_regclass('{}') is not null", self.table);
                match connection.fetch_optional(AssertSqlSafe(table)).await? {
                    Some(_) => connection.list_applied_migrations(self.table).await,
                    None => Ok(Vec::new()),
                }
            }
        };
        let applied = applied.map_err(|error| self.explain(error))?;
        let migrator = self.migrator();
        for old in &applied {
            match migrator.iter().find(|known| known.version == old.version) {
                None => return Err(self.explain(MigrateError::VersionMissing(old.version))),
                Some(known) if known.checksum != old.checksum => {
                    return Err(self.explain(MigrateError::VersionMismatch(old.version)));
                }
                Some(_) => {}
            }
        }
        let is_new = |file: &&Migration| !applied.iter().any(|old| old.version == file.version);
        Ok(self
            .files
            .iter()
            .filter(is_new)
            .map(|file| file.file)
            .collect())
    }

    /// Whether the database has every one of these files; what a newer build added is no fault here.
    pub(crate) async fn are_applied(&self, db: &Db) -> Result<bool, DbError> {
        let applied = match db.pools() {
            #[cfg(feature = "sqlite")]
            Pools::Sqlite { writer, .. } => {
                let mut connection = writer.untimed().await?;
                connection.list_applied_migrations(self.table).await
            }
            #[cfg(feature = "postgres")]
            Pools::Postgres { writer, .. } => {
                let mut connection = writer.acquire().await?;
                connection.list_applied_migrations(self.table).await
            }
        };
        let applied = applied.map_err(|error| self.explain(error))?;
        let there = |file: &Migration| applied.iter().any(|old| old.version == file.version);
        Ok(self.files.iter().all(there))
    }

    fn migrator(&self) -> Migrator {
        let files = self.files.iter().map(|file| {
            let sql = AssertSqlSafe(file.sql).into_sql_str();
            sqlx::migrate::Migration::new(
                file.version,
                file.file.into(),
                MigrationType::Simple,
                sql,
                false,
            )
        });
        let mut migrator = Migrator::with_migrations(files.collect());
        migrator.dangerous_set_table_name(self.table);
        migrator
    }

    fn explain(&self, error: MigrateError) -> DbError {
        let file = |version: i64| {
            let found = self.files.iter().find(|file| file.version == version);
            found.map_or_else(|| format!("number {version}"), |file| file.file.to_owned())
        };
        DbError::Migration(match error {
            MigrateError::VersionMismatch(version) => format!(
                "the migration {} was changed after it was applied: put its old text back and write the change as a new file",
                file(version)
            ),
            MigrateError::VersionMissing(version) => format!(
                "the database has migration {}, which this build does not know: deploy the newer build, or put the file back",
                file(version)
            ),
            MigrateError::Dirty(version) => {
                format!(
                    "the migration {} was left half applied: look at the database before you go on",
                    file(version)
                )
            }
            MigrateError::ExecuteMigration(cause, version) => {
                format!("the migration {} failed: {}", file(version), reason(&cause))
            }
            other => format!("migrations could not be run: {other}"),
        })
    }
}

/// The database's own words about a statement of ours: it holds no user's data at this point.
fn reason(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(database) => database.message().to_owned(),
        other => other.to_string(),
    }
}
