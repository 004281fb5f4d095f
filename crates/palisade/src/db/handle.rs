//! The handles: `Db` reads and writes, `ReadDb` reads, `Tx` is one transaction.

use std::borrow::Cow;
use std::sync::Arc;

use super::error::DbError;
use super::pools::{LONGEST, On, Pools, Target, Transaction};
use super::row::RawRow;
use super::statement::{Reading, Writing};
use super::stream::{Feed, Source};
use super::value::Value;
use crate::error::Result;
use crate::secret::Secret;
use crate::secret::key::Key;

/// What a database is opened with.
#[derive(Debug)]
pub struct DbOptions {
    /// `sqlite:path/to/file` or `postgres://user:password@host/database`.
    pub url: Secret<String>,
    /// Signs the cursors of pages.
    pub cursor_key: Key,
}

#[derive(Debug)]
struct Inner {
    pools: Pools,
    cursor_key: Key,
}

/// The database, to read and to write; a `GET` handler gets a [`ReadDb`] instead.
#[derive(Debug, Clone)]
pub struct Db(Arc<Inner>);

/// The database, to read.
///
/// # Security
/// Held twice: a writing literal does not compile with it, and its connections are `query_only` (SQLite) or read-only
/// (PostgreSQL), since a `select` can call what writes.
#[derive(Debug, Clone)]
pub struct ReadDb(Arc<Inner>);

/// One transaction; what was not committed is rolled back when it is dropped.
#[derive(Debug)]
pub struct Tx {
    transaction: Transaction,
    db: Db,
}

impl Db {
    /// Opens the database: SQLite in WAL mode with foreign keys, one writer and several readers; PostgreSQL with TLS
    /// verified unless the host is local. On both a statement is ended after 30 seconds.
    ///
    /// # Errors
    /// When the address is malformed, the file cannot be written or the server does not answer.
    pub async fn open(options: DbOptions) -> Result<Self, DbError> {
        let pools = Pools::open(options.url.expose(), LONGEST).await?;
        Ok(Self(Arc::new(Inner {
            pools,
            cursor_key: options.cursor_key,
        })))
    }

    /// The same database, to read only.
    pub fn reader(&self) -> ReadDb {
        ReadDb(Arc::clone(&self.0))
    }

    /// Begins a transaction.
    ///
    /// # Errors
    /// 503 when the database is away.
    pub async fn begin(&self) -> Result<Tx> {
        let transaction = self.0.pools.begin().await.map_err(DbError::into_error)?;
        Ok(Tx {
            transaction,
            db: self.clone(),
        })
    }

    /// Closes every connection; what still runs fails.
    pub async fn close(&self) {
        self.0.pools.close().await;
    }

    pub(super) fn pools(&self) -> &Pools {
        &self.0.pools
    }
}

impl Tx {
    /// Makes everything that was written in it permanent.
    ///
    /// # Errors
    /// 500 or 503 when the database could not; nothing was written then.
    pub async fn commit(self) -> Result<()> {
        self.transaction.commit().await.map_err(DbError::into_error)
    }
}

impl ReadDb {
    pub(super) async fn fetch_optional(
        &self,
        text: Cow<'static, str>,
        values: Vec<Value>,
    ) -> Result<Option<RawRow>, DbError> {
        Ok(Runs::<Reading>::target(self)
            .fetch(text, values, 1)
            .await?
            .pop())
    }
}

/// A handle that runs statements of kind `K`, `Reading` or `Writing`.
#[diagnostic::on_unimplemented(
    message = "P0503: a `{Self}` cannot run a statement that writes",
    label = "reads only",
    note = "take `db: Db` in a `#[post]`, `#[put]`, `#[patch]` or `#[delete]` handler; a `#[get]` handler has no way to write"
)]
pub trait Runs<K>: sealed::Handle {
    #[doc(hidden)]
    fn target(&self) -> Target<'_>;
}

/// A handle that streams the rows of statements of kind `K`: `&db`, or `&mut tx`.
#[diagnostic::on_unimplemented(
    message = "P0517: `{Self}` cannot stream the rows of this statement",
    label = "not a handle that streams them",
    note = "a statement that reads is streamed from `&db`, or from `&mut tx`, since a transaction does nothing else meanwhile; rows that a writing statement returns come by `.at_most`"
)]
pub trait Streams<'a, K>: sealed::Handle {
    #[doc(hidden)]
    fn source(self) -> Source<'a>;
}

mod sealed {
    pub trait Handle: Send + Sync {}
    impl Handle for super::Db {}
    impl Handle for super::ReadDb {}
    impl Handle for super::Tx {}
    impl Handle for &super::Db {}
    impl Handle for &super::ReadDb {}
    impl Handle for &mut super::Tx {}
}

impl Streams<'static, Reading> for &Db {
    fn source(self) -> Source<'static> {
        Source(Feed::Readers(self.0.pools.clone()))
    }
}

impl Streams<'static, Reading> for &ReadDb {
    fn source(self) -> Source<'static> {
        Source(Feed::Readers(self.0.pools.clone()))
    }
}

impl<'a> Streams<'a, Reading> for &'a mut Tx {
    fn source(self) -> Source<'a> {
        Source(Feed::Within(&mut self.transaction))
    }
}

impl Runs<Reading> for ReadDb {
    fn target(&self) -> Target<'_> {
        Target {
            on: On::Readers(&self.0.pools),
            cursor_key: &self.0.cursor_key,
        }
    }
}

impl Runs<Reading> for Db {
    fn target(&self) -> Target<'_> {
        Target {
            on: On::Readers(&self.0.pools),
            cursor_key: &self.0.cursor_key,
        }
    }
}

impl Runs<Writing> for Db {
    fn target(&self) -> Target<'_> {
        Target {
            on: On::Writer(&self.0.pools),
            cursor_key: &self.0.cursor_key,
        }
    }
}

impl Runs<Reading> for Tx {
    fn target(&self) -> Target<'_> {
        Target {
            on: On::Within(&self.transaction),
            cursor_key: &self.db.0.cursor_key,
        }
    }
}

impl Runs<Writing> for Tx {
    fn target(&self) -> Target<'_> {
        Target {
            on: On::Within(&self.transaction),
            cursor_key: &self.db.0.cursor_key,
        }
    }
}
