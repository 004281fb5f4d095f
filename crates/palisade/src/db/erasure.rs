//! What belongs to an account: removed or detached when the account is deleted, and told to its owner.

use std::marker::PhantomData;

use futures_util::stream::BoxStream;
use uuid::Uuid;

use super::cell::Column;
use super::check::RESOURCES;
use super::handle::{ReadDb, Tx};
use super::statement::{Sql, Whatever, Writing};
use super::value::Value;
use crate::error::Result;

/// What becomes of a resource's rows when their owner's account is deleted; made by `#[resource]`.
#[derive(Debug, Clone, Copy)]
pub struct Erasure {
    /// The literal that removes or detaches the rows of one owner.
    pub text: &'static str,
    /// Whether the rows stay, without an owner.
    pub detaches: bool,
}

/// How a resource's rows are told to their owner; made by `#[resource(export = View)]`.
#[derive(Debug, Clone, Copy)]
pub struct Export {
    /// The literal that gives the rows of one owner.
    pub text: &'static str,
    /// Each row as JSON.
    pub rows: fn(&'static str, Uuid, u32, &ReadDb) -> ExportRows,
}

/// Rows as JSON, one after another.
pub type ExportRows = BoxStream<'static, Result<Vec<u8>>>;

/// An owner that an account is; anything else may own rows too, and is no part of an account.
#[diagnostic::on_unimplemented(
    message = "P0520: `{Self}` does not name an account",
    label = "no account owns these rows",
    note = "`on_delete` and `export` speak of what an account owns: make the owner's field `Id<Account>` or `Option<Id<Account>>`, or take them out"
)]
pub trait OwnerOf: Column {}

impl<T: OwnerOf> OwnerOf for Option<T> {}

/// Asks for `OwnerOf` once, at the field's own place.
pub const fn owner_of<T: OwnerOf>() {}

/// Tells whether a type names an account: the constant of its own comes before that of [`OwnedByOthers`].
#[derive(Debug)]
pub struct OwnerProbe<T>(PhantomData<T>);

/// What holds for every other type.
pub trait OwnedByOthers {
    /// Whether it names an account.
    const IS_ACCOUNT: bool = false;
}

impl<T> OwnedByOthers for OwnerProbe<T> {}

/// Refuses, while compiling, to detach rows that cannot be without an owner.
pub const fn detachable(nullable: bool) {
    assert!(
        nullable,
        "P0521: rows are detached by setting their owner to null: make the owner's field `Option<Id<Account>>`, or say `on_delete = \"remove\"`"
    );
}

/// Refuses, while compiling, to guess what becomes of rows that may be without an owner.
pub const fn said(nullable: bool) {
    assert!(
        !nullable,
        "P0522: these rows can outlive their owner's account: say `on_delete = \"remove\"` or `on_delete = \"detach\"` in `#[resource(…)]`"
    );
}

/// Removes or detaches everything that belongs to an account, of every resource of the program.
pub(crate) async fn erase(tx: &Tx, account: Uuid) -> Result<()> {
    let mut done: Vec<&str> = Vec::new();
    for Erasure { text, .. } in RESOURCES.iter().filter_map(|resource| resource.erasure) {
        // Several types may read one table.
        if done.contains(&text) {
            continue;
        }
        done.push(text);
        let values = vec![Value::Uuid(Some(account))];
        Sql::<Writing, Whatever>::fixed(text, values)
            .execute(tx)
            .await?;
    }
    Ok(())
}

/// Every export of the program, by the name of its table; the first that a table's types declare.
pub(crate) fn exports() -> Vec<(&'static str, Export)> {
    let mut found: Vec<(&str, Export)> = Vec::new();
    for resource in RESOURCES {
        if let Some(export) = resource.export
            && found.iter().all(|(table, _)| *table != resource.table)
        {
            found.push((resource.table, export));
        }
    }
    found.sort_by_key(|(table, _)| *table);
    found
}

/// The tables that belong to accounts and that no type exports.
pub(crate) fn unexported() -> Vec<&'static str> {
    let told = exports();
    let owned = RESOURCES
        .iter()
        .filter(|resource| resource.erasure.is_some());
    let mut tables: Vec<&str> = owned
        .map(|resource| resource.table)
        .filter(|table| told.iter().all(|(other, _)| other != table))
        .collect();
    tables.sort_unstable();
    tables.dedup();
    tables
}
