//! Rows one after another, for a result that is too long to be held at once.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt as _, TryStreamExt as _};
use sqlx::pool::PoolConnection;
use sqlx::{Database, Execute, Executor};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

use super::clock::Timed;
use super::error::DbError;
use super::pools::{LONGEST, Pools, Transaction, safe};
use super::row::{RawRow, Row};
use super::value::{self, Value};
use crate::error::Result;

/// Rows that lie ready for whoever takes them; the database waits for the rest to be wanted.
const AHEAD: usize = 64;

/// The rows of a statement, a few of them in memory at a time; made by `.stream`.
///
/// It is also a [`Stream`] of results.
///
/// # Security
/// It holds a connection, so it is bounded twice: by the rows that `.stream` names, and by 30 seconds. The second holds also
/// when nobody asks for the next row: the connection goes back to the others, and the stream ends with an error.
///
/// # Example
/// ```
/// use palisade::prelude::*;
///
/// async fn longest_title(db: &ReadDb, owner: Id<Account>) -> Result<usize> {
///     let mut longest = 0;
///     let mut titles = sql!("select title from notes where owner_id = {owner}").stream::<String>(100_000, db);
///     while let Some(title) = titles.try_next().await? {
///         longest = longest.max(title.chars().count());
///     }
///     Ok(longest)
/// }
/// ```
#[must_use = "a stream reads nothing until `.try_next`"]
pub struct RowStream<'a, T> {
    rows: BoxStream<'a, Result<RawRow, DbError>>,
    row: PhantomData<fn() -> T>,
}

impl<T: Row> RowStream<'_, T> {
    /// The next row, and `None` after the last one.
    ///
    /// # Errors
    /// 500 when the database refuses the statement, a column holds another type, or the 30 seconds are over; 503 when the
    /// database is away.
    pub async fn try_next(&mut self) -> Result<Option<T>> {
        self.next().await.transpose()
    }
}

impl<T: Row> Stream for RowStream<'_, T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<T>>> {
        self.rows.poll_next_unpin(context).map(|row| {
            let typed = row?.and_then(|row| T::from_row(&row));
            Some(typed.map_err(DbError::into_error))
        })
    }
}

impl<T> std::fmt::Debug for RowStream<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RowStream").finish_non_exhaustive()
    }
}

/// Where a stream reads.
#[doc(hidden)]
#[derive(Debug)]
pub struct Source<'a>(pub(super) Feed<'a>);

#[derive(Debug)]
pub(super) enum Feed<'a> {
    /// A connection of its own.
    Readers(Pools),
    /// The connection of a transaction, which does nothing else meanwhile.
    Within(&'a mut Transaction),
}

impl<'a> Source<'a> {
    pub(super) fn stream<T>(self, text: String, values: Vec<Value>) -> RowStream<'a, T> {
        let rows =
            match self.0 {
                #[cfg(feature = "sqlite")]
                Feed::Readers(Pools::Sqlite { readers, .. }) => value::sqlite_arguments(values)
                    .map(|arguments| {
                        let query = sqlx::query_with(safe(text.into()), arguments);
                        let acquired = async move {
                            let (connection, clock) = readers.acquire().await?;
                            Ok((connection, Timed::Some(clock)))
                        };
                        read_apart(acquired, query, RawRow::Sqlite, LONGEST)
                    }),
                #[cfg(feature = "postgres")]
                Feed::Readers(Pools::Postgres { readers, .. }) => value::postgres_arguments(values)
                    .map(|arguments| {
                        let query = sqlx::query_with(safe(text.into()), arguments);
                        let acquired = async move { Ok((readers.acquire().await?, Timed::None)) };
                        read_apart(acquired, query, RawRow::Postgres, LONGEST)
                    }),
                #[cfg(feature = "sqlite")]
                Feed::Within(Transaction::Sqlite(tx, clock)) => value::sqlite_arguments(values)
                    .map(|arguments| {
                        clock.start();
                        let query = sqlx::query_with(safe(text.into()), arguments);
                        until(LONGEST, tx.get_mut().fetch(query), RawRow::Sqlite)
                    }),
                #[cfg(feature = "postgres")]
                Feed::Within(Transaction::Postgres(tx)) => {
                    value::postgres_arguments(values).map(|arguments| {
                        let query = sqlx::query_with(safe(text.into()), arguments);
                        until(LONGEST, tx.get_mut().fetch(query), RawRow::Postgres)
                    })
                }
            };
        RowStream {
            rows: rows.unwrap_or_else(|error| stream::iter([Err(error.into())]).boxed()),
            row: PhantomData,
        }
    }
}

/// Reads on a task of its own, so that the deadline holds also when nobody asks for the next row.
fn read_apart<D, Q>(
    acquired: impl Acquired<D>,
    query: Q,
    wrap: fn(D::Row) -> RawRow,
    longest: Duration,
) -> BoxStream<'static, Result<RawRow, DbError>>
where
    D: Database,
    for<'c> &'c mut D::Connection: Executor<'c, Database = D>,
    Q: Execute<'static, D> + 'static,
{
    let (sender, mut receiver) = mpsc::channel(AHEAD);
    tokio::spawn(async move {
        if let Err(error) = copy(acquired, query, wrap, longest, &sender).await {
            // Waits for its place behind the rows: a list that was cut short must not look like a whole one.
            let _ = sender.send(Err(error)).await;
        }
    });
    stream::poll_fn(move |context| receiver.poll_recv(context)).boxed()
}

/// A connection on its way, and its clock where it has one.
trait Acquired<D: Database>:
    Future<Output = Result<(PoolConnection<D>, Timed), sqlx::Error>> + Send + 'static
{
}

impl<D: Database, F> Acquired<D> for F where
    F: Future<Output = Result<(PoolConnection<D>, Timed), sqlx::Error>> + Send + 'static
{
}

async fn copy<D, Q>(
    acquired: impl Acquired<D>,
    query: Q,
    wrap: fn(D::Row) -> RawRow,
    longest: Duration,
    sender: &mpsc::Sender<Result<RawRow, DbError>>,
) -> Result<(), DbError>
where
    D: Database,
    for<'c> &'c mut D::Connection: Executor<'c, Database = D>,
    Q: Execute<'static, D> + 'static,
{
    let (mut connection, clock) = acquired.await?;
    if let Some(clock) = &clock {
        clock.start();
    }
    let all = async {
        let mut rows = connection.fetch(query);
        while let Some(row) = rows.try_next().await? {
            if sender.send(Ok(wrap(row))).await.is_err() {
                break;
            }
        }
        Ok(())
    };
    let outcome = tokio::select! {
        outcome = timeout(longest, all) => outcome.unwrap_or(Err(DbError::Deadline)),
        () = sender.closed() => Ok(()),
    };
    if let (Some(clock), Ok(()), false) = (&clock, &outcome, sender.is_closed()) {
        clock.stop();
    }
    if outcome.is_err() || sender.is_closed() {
        // PostgreSQL would go on sending what is left of the result; a fresh connection costs less than to read it.
        connection.close_on_drop();
    }
    outcome
}

/// The same rows until the deadline, and an error in place of what comes later.
fn until<'a, R: Send + 'a>(
    longest: Duration,
    rows: BoxStream<'a, Result<R, sqlx::Error>>,
    wrap: fn(R) -> RawRow,
) -> BoxStream<'a, Result<RawRow, DbError>> {
    let deadline = Instant::now() + longest;
    stream::unfold(Some(rows), move |rows| async move {
        let mut rows = rows?;
        match timeout_at(deadline, rows.try_next()).await {
            Ok(Ok(row)) => row.map(|row| (Ok(wrap(row)), Some(rows))),
            Ok(Err(error)) => Some((Err(error.into()), None)),
            Err(_) => Some((Err(DbError::Deadline), None)),
        }
    })
    .fuse()
    .boxed()
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn gives_the_connection_back_at_its_deadline_and_says_so() {
        let pool = sqlx::sqlite::SqlitePoolOptions::new()
            .max_connections(1)
            .connect("sqlite::memory:")
            .await
            .expect("a database");
        let endless =
            "with recursive c (n) as (select 1 union all select n + 1 from c) select n from c";
        let query = sqlx::query_with(endless, sqlx::sqlite::SqliteArguments::default());
        let own = pool.clone();
        let mut rows = read_apart(
            async move { Ok((own.acquire().await?, Timed::None)) },
            query,
            RawRow::Sqlite,
            Duration::from_millis(50),
        );
        rows.next().await.expect("a row").expect("it could be read");
        // Nobody asks for the next row, and yet the only connection comes back.
        drop(pool.acquire().await.expect("it is free again"));
        let last = loop {
            match rows.next().await {
                Some(Ok(_)) => {}
                other => break other,
            }
        };
        assert!(matches!(last, Some(Err(DbError::Deadline))), "{last:?}");
        assert!(rows.next().await.is_none());
    }

    #[tokio::test]
    async fn ends_within_a_transaction_at_its_deadline_too() {
        let never = stream::pending::<Result<sqlx::sqlite::SqliteRow, sqlx::Error>>().boxed();
        let mut rows = until(Duration::from_millis(5), never, RawRow::Sqlite);
        assert!(matches!(rows.next().await, Some(Err(DbError::Deadline))));
        assert!(rows.next().await.is_none());
    }
}
