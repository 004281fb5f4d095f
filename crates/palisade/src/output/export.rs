//! The rows of one owner, each as the output that stands for it.

use futures_util::{StreamExt as _, TryStreamExt as _};
use uuid::Uuid;

use super::field::Output;
use crate::db::{ExportRows, ReadDb, Reading, Resource, Sql, Untyped, Value, Whatever};
use crate::error::Error;

/// An `#[output(from = R)]`, which shows a row of `R`.
#[diagnostic::on_unimplemented(
    message = "P0523: `{Self}` does not show a `{R}`",
    label = "not made from this resource",
    note = "declare it with `#[output(from = {R})]`: an account's export tells what that lists, and nothing else"
)]
pub trait ViewOf<R>: Output + From<R> + Send {}

/// The rows that the statement gives for this owner, `most` at most.
#[doc(hidden)]
pub fn export_rows<R: Resource + Untyped, V: ViewOf<R> + 'static>(
    text: &'static str,
    owner: Uuid,
    most: u32,
    db: &ReadDb,
) -> ExportRows {
    let statement = Sql::<Reading, Whatever>::fixed(text, vec![Value::Uuid(Some(owner))]);
    let rows = statement.stream::<R>(most, db);
    rows.and_then(async |row| serde_json::to_vec(&V::from(row)).map_err(Error::from))
        .boxed()
}
