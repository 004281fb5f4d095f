//! Whether an account can be deleted: no foreign key holds it, and what is to be detached can be.

use super::super::handle::Db;
use super::schema::{OnDelete, Probe, Reference, Schema};
use super::{Fault, Faults, RESOURCES, ResourceInfo};
use crate::db::DbError;

/// Compares what the resources of the program say with the foreign keys of the database: all faults, not the first.
pub(crate) async fn check_erasure(db: &Db, accounts: &str) -> Result<Vec<Fault>, DbError> {
    let mut probe = Probe::open(db).await?;
    let schema = probe.schema().await?;
    let references = probe.references().await?;
    probe.close().await;
    let owned: Vec<&ResourceInfo> = RESOURCES.iter().collect();
    Ok(faults(&owned, &schema, &references, accounts))
}

fn faults(
    resources: &[&ResourceInfo],
    schema: &Schema,
    references: &[Reference],
    accounts: &str,
) -> Vec<Fault> {
    let mut faults = Faults(Vec::new());
    for (at, resource) in resources.iter().enumerate() {
        let (Some(erasure), Some(owner)) = (resource.erasure, resource.owner) else {
            continue;
        };
        let table = resource.table;
        let place = format!("{}:{}", resource.file, resource.line);
        if erasure.detaches && schema.is_nullable(table, owner) == Some(false) {
            faults.add(
                place.clone(),
                format!("the rows of {table} are to be detached when their owner is deleted, and the column {owner} cannot be null"),
                format!("add a migration that lets {owner} be null, or say `on_delete = \"remove\"`"),
            );
        }
        let other = resources[..at].iter().find(|other| {
            other.table == table
                && other
                    .erasure
                    .is_some_and(|other| other.detaches != erasure.detaches)
        });
        if let Some(other) = other {
            faults.add(
                place,
                format!("{} and {} say different things of what becomes of the rows of {table} when their owner is deleted", other.name, resource.name),
                "say the same `on_delete` in both".to_owned(),
            );
        }
    }
    let removed = resources.iter().filter(|resource| {
        let removes = |erasure: super::Erasure| !erasure.detaches;
        resource.erasure.is_some_and(removes)
    });
    let mut going: Vec<&str> = vec![accounts];
    going.extend(removed.map(|resource| resource.table));
    // Rows that go with others, and those that go with them.
    let mut at = 0;
    while let Some(parent) = going.get(at).copied() {
        let follow = references.iter().filter(|reference| {
            reference.on_delete == OnDelete::Cascade && same(&reference.parent, parent)
        });
        for reference in follow {
            if !going.iter().any(|table| same(table, &reference.table)) {
                going.push(&reference.table);
            }
        }
        at += 1;
    }
    for reference in references {
        let Reference {
            table,
            column,
            parent,
            on_delete,
        } = reference;
        let is_declared = same(parent, accounts)
            && resources.iter().any(|resource| {
                same(resource.table, table)
                    && resource.erasure.is_some()
                    && resource.owner.is_some_and(|owner| same(owner, column))
            });
        let holds = match on_delete {
            OnDelete::Cascade => false,
            OnDelete::Nothing => true,
            OnDelete::SetNull => schema.is_nullable(table, column) == Some(false),
        };
        if !holds || is_declared || !going.iter().any(|gone| same(gone, parent)) {
            continue;
        }
        let or_declare = if same(parent, accounts) {
            format!(", or declare `#[resource(table = \"{table}\", owner = \"{column}\")]`")
        } else {
            String::new()
        };
        faults.add(
            format!("table {table}"),
            format!("the column {column} keeps rows of {parent} from being removed, so an account could not be deleted"),
            format!("add a migration that says `on delete cascade`, or `on delete set null` for a column that may be null{or_declare}"),
        );
    }
    faults
        .0
        .sort_by(|a, b| (&a.place, &a.what).cmp(&(&b.place, &b.what)));
    faults.0.dedup();
    faults.0
}

fn same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}
