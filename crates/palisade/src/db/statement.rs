//! Statements: one literal each, with bound values.

use std::any::TypeId;
use std::borrow::Cow;
use std::fmt::Write as _;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;

use super::error::DbError;
use super::handle::{Runs, Streams};
use super::page::{self, Page, PageRequest};
use super::pools::Target;
use super::row::{RawRow, Resource, Row, Untyped};
use super::stream::RowStream;
use super::value::{BindList, Value};
use crate::error::Result;

/// A statement that reads; every database handle runs it.
#[derive(Debug)]
pub struct Reading;
/// A statement that writes; `Db` and `Tx` run it, `ReadDb` does not.
#[derive(Debug)]
pub struct Writing;
/// A statement that gives any resource or scalar.
#[derive(Debug)]
pub struct Whatever;
/// A statement that gives the row type `R`, compared with its columns at start.
#[derive(Debug)]
pub struct Typed<R>(PhantomData<fn() -> R>);

/// A statement made by `sql!`: the text is a literal, every value is bound.
#[derive(Debug)]
#[must_use = "a statement does nothing until `.one`, `.optional`, `.at_most`, `.page`, `.stream` or `.execute`"]
pub struct Sql<K, R = Whatever> {
    text: Cow<'static, str>,
    values: Vec<Value>,
    kind: PhantomData<fn() -> (K, R)>,
}

/// A condition made by `sql!("…", on = "table")`, to stand in another statement as `{sql: piece}`.
#[derive(Debug, Clone)]
pub struct Piece {
    parts: Vec<Part>,
}

/// A statement on its way; its type names no handle, so that a wrong one is told once.
type Running<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// The columns that a list may be ordered by; made by `#[columns]`.
#[diagnostic::on_unimplemented(
    message = "P0513: `{Self}` does not choose among columns",
    label = "not an order",
    note = "order by an enum of columns: `#[columns(on = \"notes\")] enum NoteOrder {{ #[column(\"title\")] Title }}`"
)]
pub trait OrderBy {
    /// The literal that stands in `order by`.
    fn order(&self) -> &'static str;
}

#[derive(Debug, Clone)]
enum Part {
    Text(&'static str),
    Value(Value),
}

/// Puts a statement together from the literal's parts; only `sql!` calls it.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct Builder {
    parts: Vec<Part>,
}

impl Builder {
    pub fn text(&mut self, text: &'static str) {
        self.parts.push(Part::Text(text));
    }

    pub fn value(&mut self, value: Value) {
        self.parts.push(Part::Value(value));
    }

    /// A list for `in (…)`; an empty one matches nothing.
    pub fn list<L: BindList + ?Sized>(&mut self, list: &L) {
        let values = list.values();
        if values.is_empty() {
            self.text("null");
        }
        for (at, value) in values.into_iter().enumerate() {
            if at > 0 {
                self.text(", ");
            }
            self.value(value);
        }
    }

    pub fn order<T: OrderBy>(&mut self, order: &T) {
        self.text(order.order());
    }

    pub fn piece(&mut self, piece: &Piece) {
        self.text("(");
        self.parts.extend(piece.parts.iter().cloned());
        self.text(")");
    }

    pub fn into_piece(self) -> Piece {
        Piece { parts: self.parts }
    }

    pub fn into_sql<K, R>(self) -> Sql<K, R> {
        let mut text = String::new();
        let mut values = Vec::new();
        for part in self.parts {
            match part {
                Part::Text(literal) => text.push_str(literal),
                Part::Value(value) => {
                    values.push(value);
                    let _ = write!(text, "${}", values.len());
                }
            }
        }
        Sql {
            text: text.into(),
            values,
            kind: PhantomData,
        }
    }
}

impl<K: 'static, R: 'static> Sql<K, R> {
    #[doc(hidden)]
    pub fn fixed(text: &'static str, values: Vec<Value>) -> Self {
        Self {
            text: Cow::Borrowed(text),
            values,
            kind: PhantomData,
        }
    }

    /// Runs it and tells how many rows it touched.
    ///
    /// # Errors
    /// 500 when the database refuses it, 503 when it is away.
    pub fn execute<'a>(self, db: &'a impl Runs<K>) -> Running<'a, u64> {
        let target = db.target();
        Box::pin(async move {
            target
                .execute(self.text, self.values)
                .await
                .map_err(DbError::into_error)
        })
    }

    fn fetch_one<T: Row>(self, target: Target<'_>) -> Running<'_, T> {
        Box::pin(async move {
            let rows = self.fetch(2, target).await?;
            match rows.as_slice() {
                [row] => Ok(T::from_row(row)?),
                [] => Err(DbError::Count {
                    expected: "one row",
                    found: "none",
                }
                .into()),
                _ => Err(DbError::Count {
                    expected: "one row",
                    found: "several",
                }
                .into()),
            }
        })
    }

    fn fetch_optional<T: Row>(self, target: Target<'_>) -> Running<'_, Option<T>> {
        Box::pin(async move {
            let rows = self.fetch(2, target).await?;
            match rows.as_slice() {
                [] => Ok(None),
                [row] => Ok(Some(T::from_row(row)?)),
                _ => Err(DbError::Count {
                    expected: "one row at most",
                    found: "several",
                }
                .into()),
            }
        })
    }

    fn fetch_at_most<T: Row>(mut self, most: u16, target: Target<'_>) -> Running<'_, Vec<T>> {
        // PostgreSQL sends every row of a statement, read or not; so the statement itself is bounded. Neither database pulls
        // an ordered subquery apart, so its order stays.
        if TypeId::of::<K>() == TypeId::of::<Reading>() {
            self.text = bounded(&self.text, most.into()).into();
        }
        Box::pin(async move {
            let rows = self.fetch(most.into(), target).await?;
            Ok(rows
                .iter()
                .map(T::from_row)
                .collect::<Result<_, DbError>>()?)
        })
    }

    fn fetch_stream<'a, T: Row>(self, most: u32, db: impl Streams<'a, K>) -> RowStream<'a, T> {
        db.source().stream(bounded(&self.text, most), self.values)
    }

    fn fetch(
        self,
        most: usize,
        target: Target<'_>,
    ) -> impl Future<Output = Result<Vec<RawRow>>> + Send {
        let (text, values) = (self.text, self.values);
        async move {
            target
                .fetch(text, values, most)
                .await
                .map_err(DbError::into_error)
        }
    }
}

impl<K: 'static> Sql<K, Whatever> {
    /// The one row that it must give.
    ///
    /// # Errors
    /// 500 when it gives none or several, 503 when the database is away.
    pub fn one<'a, T: Untyped>(self, db: &'a impl Runs<K>) -> Running<'a, T> {
        self.fetch_one(db.target())
    }

    /// The row that it may give.
    ///
    /// # Errors
    /// 500 when it gives several, 503 when the database is away.
    pub fn optional<'a, T: Untyped>(self, db: &'a impl Runs<K>) -> Running<'a, Option<T>> {
        self.fetch_optional(db.target())
    }

    /// Its first rows, `most` at most; the rest is not read.
    ///
    /// # Errors
    /// 500 when the database refuses it, 503 when it is away.
    pub fn at_most<'a, T: Untyped>(self, most: u16, db: &'a impl Runs<K>) -> Running<'a, Vec<T>> {
        self.fetch_at_most(most, db.target())
    }

    /// Its first rows, `most` at most, one after another: for results that are too long to be held at once.
    ///
    /// It reads from `&db`, or from `&mut tx`, and for 30 seconds at most; a longer list is read page by page.
    ///
    /// # Errors
    /// Each row comes as a result: see [`RowStream::try_next`].
    pub fn stream<'a, T: Untyped>(self, most: u32, db: impl Streams<'a, K>) -> RowStream<'a, T> {
        self.fetch_stream(most, db)
    }

    /// One page of it, newest first, by the resource's id.
    ///
    /// # Errors
    /// 400 when the cursor is not one of this list, 500 or 503 when the database fails.
    pub fn page<'a, T: Resource>(
        self,
        request: &'a PageRequest,
        db: &'a impl Runs<K>,
    ) -> Running<'a, Page<T>> {
        let target = db.target();
        Box::pin(self.fetch_page(request, target))
    }

    async fn fetch_page<T: Resource>(
        self,
        request: &PageRequest,
        target: Target<'_>,
    ) -> Result<Page<T>> {
        let key = target.cursor_key();
        let (inner, mut values) = (self.text, self.values);
        let after = match &request.after {
            Some(cursor) => {
                values.push(Value::Uuid(Some(page::id_of(key, &inner, cursor)?)));
                format!("where id < ${} ", values.len())
            }
            None => String::new(),
        };
        let most = usize::from(request.limit);
        let text = format!(
            "select * from ({inner}\n) as page {after}order by id desc limit {}",
            most + 1
        );
        let rows = target
            .fetch(text.into(), values, most + 1)
            .await
            .map_err(DbError::into_error)?;
        let mut items = rows
            .iter()
            .map(T::from_row)
            .collect::<Result<Vec<T>, DbError>>()?;
        let more = items.len() > most;
        items.truncate(most);
        let next = items
            .last()
            .filter(|_| more)
            .map(|last| page::cursor(key, &inner, last.key()));
        Ok(Page { items, next })
    }
}

impl<K: 'static, R: Row> Sql<K, Typed<R>> {
    /// The one row that it must give.
    ///
    /// # Errors
    /// 500 when it gives none or several, 503 when the database is away.
    pub fn one<'a>(self, db: &'a impl Runs<K>) -> Running<'a, R> {
        self.fetch_one(db.target())
    }

    /// The row that it may give.
    ///
    /// # Errors
    /// 500 when it gives several, 503 when the database is away.
    pub fn optional<'a>(self, db: &'a impl Runs<K>) -> Running<'a, Option<R>> {
        self.fetch_optional(db.target())
    }

    /// Its first rows, `most` at most; the rest is not read.
    ///
    /// # Errors
    /// 500 when the database refuses it, 503 when it is away.
    pub fn at_most<'a>(self, most: u16, db: &'a impl Runs<K>) -> Running<'a, Vec<R>> {
        self.fetch_at_most(most, db.target())
    }

    /// Its first rows, `most` at most, one after another: for results that are too long to be held at once.
    ///
    /// It reads from `&db`, or from `&mut tx`, and for 30 seconds at most; a longer list is read page by page.
    ///
    /// # Errors
    /// Each row comes as a result: see [`RowStream::try_next`].
    pub fn stream<'a>(self, most: u32, db: impl Streams<'a, K>) -> RowStream<'a, R> {
        self.fetch_stream(most, db)
    }
}

/// The statement with a maximum of rows; the newline ends a comment that the literal may end with.
fn bounded(text: &str, most: u32) -> String {
    format!("select * from ({text}\n) as bounded limit {most}")
}
