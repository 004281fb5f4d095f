//! What only the real schema can tell: every statement is prepared, every resource compared, before a port opens.

mod clauses;
mod columns;
mod erasure;
mod owner;
mod schema;
mod tokens;

use linkme::distributed_slice;

pub(crate) use self::erasure::check_erasure;

use self::clauses::{Clauses, FIRST_SCOPE};
use self::owner::Owned;
use self::schema::{Probe, Schema};
use super::erasure::{Erasure, Export};
use super::error::DbError;
use super::handle::Db;
use super::row::ColumnInfo;

/// Every `sql!` statement of the program.
#[doc(hidden)]
#[distributed_slice]
pub static STATEMENTS: [StatementInfo];

/// Every `#[resource]` of the program.
#[doc(hidden)]
#[distributed_slice]
pub static RESOURCES: [ResourceInfo];

/// Every `#[columns]` enum of the program.
#[doc(hidden)]
#[distributed_slice]
pub static ORDERS: [OrderInfo];

/// One `sql!` literal.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct StatementInfo {
    /// The text with `$n` for values.
    pub text: &'static str,
    /// How many values it binds.
    pub values: usize,
    pub file: &'static str,
    pub line: u32,
    /// Whether it is a piece of other statements: they answer for the tables that it stands on.
    pub piece: bool,
    /// Why it may touch an owned table without naming the owner.
    pub unscoped: Option<&'static str>,
    /// The columns of the row type that it names.
    pub columns: Option<&'static [ColumnInfo]>,
}

/// One `#[resource]`.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct ResourceInfo {
    pub name: &'static str,
    pub table: &'static str,
    pub owner: Option<&'static str>,
    pub columns: &'static [ColumnInfo],
    /// What becomes of its rows when their owner's account is deleted.
    pub erasure: Option<Erasure>,
    /// How its rows are told to their owner.
    pub export: Option<Export>,
    pub file: &'static str,
    pub line: u32,
}

/// One `#[columns]` enum.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct OrderInfo {
    pub name: &'static str,
    /// What stands after `from`.
    pub on: &'static str,
    pub columns: &'static [&'static str],
    pub file: &'static str,
    pub line: u32,
}

/// One statement or resource that does not fit the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// `file:line`.
    pub place: String,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub fix: String,
}

/// Prepares every statement and compares every resource with its table: all faults, not the first.
pub async fn check(db: &Db) -> Vec<Fault> {
    let mut faults = Faults(Vec::new());
    if let Err(error) = check_with(db, &mut faults).await {
        let what = format!("the database cannot be looked into: {error}");
        faults.add(
            "database".to_owned(),
            what,
            "start it, or let the service's user read it".to_owned(),
        );
    }
    faults.0.sort_by(|a, b| a.place.cmp(&b.place));
    faults.0
}

struct Faults(Vec<Fault>);

impl Faults {
    fn add(&mut self, place: String, what: String, fix: String) {
        self.0.push(Fault { place, what, fix });
    }
}

async fn check_with(db: &Db, faults: &mut Faults) -> Result<(), DbError> {
    let mut probe = Probe::open(db).await?;
    let schema = probe.schema().await?;
    let mut owners: Vec<Owned<'_>> = Vec::new();
    for resource in RESOURCES {
        // Several types may read one table.
        if let Some(owner) = resource.owner
            && !owners
                .iter()
                .any(|owned| owned.table == resource.table && owned.owner == owner)
        {
            owners.push(Owned::new(resource.table, owner, &schema));
        }
    }
    for resource in RESOURCES {
        check_resource(&mut probe, &schema, resource, faults).await;
    }
    for order in ORDERS {
        check_order(&mut probe, &schema, order, faults).await;
    }
    for statement in STATEMENTS {
        let place = format!("{}:{}", statement.file, statement.line);
        let clauses = Clauses::read(statement.text, schema.dialect);
        for (what, fix) in check_statement(&mut probe, &schema, statement, &clauses).await {
            faults.add(place.clone(), what, fix);
        }
        // The first `select` of a piece is the one that is put around it.
        let exempt = statement.piece.then_some(FIRST_SCOPE);
        for owned in owners.iter().filter(|_| statement.unscoped.is_none()) {
            if let Some((what, fix)) = owned.fault(&clauses, exempt, &schema) {
                faults.add(place.clone(), what, fix);
            }
        }
    }
    probe.close().await;
    Ok(())
}

async fn check_resource(
    probe: &mut Probe,
    schema: &Schema,
    resource: &ResourceInfo,
    faults: &mut Faults,
) {
    let ResourceInfo { name, table, .. } = resource;
    let place = || format!("{}:{}", resource.file, resource.line);
    match probe
        .prepare(format!("select * from {table}"), schema)
        .await
    {
        Err(error) => faults.add(
            place(),
            format!(
                "the table {table} of {name} cannot be read: {}",
                words(&error)
            ),
            "add a migration that makes it, or correct `table = \"…\"`".to_owned(),
        ),
        Ok(found) => {
            let lacks = columns::missing(resource.columns, &found.columns);
            if !lacks.is_empty() {
                faults.add(
                    place(),
                    format!("the table {table} has no column {lacks}"),
                    format!("add a migration that makes it, or take the field out of {name}"),
                );
            }
            for (what, fix) in columns::misfits(resource.columns, &found.columns, None) {
                faults.add(place(), format!("{what} ({name})"), fix);
            }
        }
    }
}

async fn check_order(probe: &mut Probe, schema: &Schema, order: &OrderInfo, faults: &mut Faults) {
    for column in order.columns {
        let text = format!("select 1 from {} order by {column}", order.on);
        if let Err(error) = probe.prepare(text, schema).await {
            faults.add(
                format!("{}:{}", order.file, order.line),
                format!(
                    "{} cannot be ordered by `{column}`: {}",
                    order.on,
                    words(&error)
                ),
                format!("correct the column, or the `on = \"…\"`, of {}", order.name),
            );
        }
    }
}

async fn check_statement(
    probe: &mut Probe,
    schema: &Schema,
    statement: &StatementInfo,
    clauses: &Clauses,
) -> Vec<(String, String)> {
    let prepared = probe.prepare(statement.text.to_owned(), schema).await;
    let found = match prepared {
        Ok(found) => found,
        Err(error) => {
            return vec![(
                format!(
                    "the database cannot prepare this statement: {}",
                    words(&error)
                ),
                "correct the statement, or add the migration that it needs".to_owned(),
            )];
        }
    };
    let mut faults = Vec::new();
    if found.values != statement.values {
        faults.push((
            "the statement has a placeholder that no value is bound to".to_owned(),
            "write the value in braces in its place".to_owned(),
        ));
    }
    if let Some(wanted) = statement.columns {
        let lacks = columns::missing(wanted, &found.columns);
        if !lacks.is_empty() {
            faults.push((
                format!("the statement does not give the column {lacks}"),
                "name it in the statement, with `as` where it is computed, or take the field out of the row type".to_owned(),
            ));
        }
        faults.extend(columns::misfits(wanted, &found.columns, Some(clauses)));
    }
    faults
}

fn words(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(database) => database.message().to_owned(),
        other => other.to_string(),
    }
}
