//! What only the real schema can tell: every statement is prepared, every resource compared, before a port opens.

use linkme::distributed_slice;

use super::handle::{Db, Runs};
use super::statement::Reading;

/// Every `sql!` statement of the program.
#[doc(hidden)]
#[distributed_slice]
pub static STATEMENTS: [StatementInfo];

/// Every `#[resource]` of the program.
#[doc(hidden)]
#[distributed_slice]
pub static RESOURCES: [ResourceInfo];

/// One `sql!` literal.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct StatementInfo {
    pub text: &'static str,
    pub file: &'static str,
    pub line: u32,
    /// Why it may touch an owned table without naming the owner.
    pub unscoped: Option<&'static str>,
    /// The columns of the row type that it names.
    pub columns: Option<&'static [(&'static str, bool)]>,
}

/// One `#[resource]`.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct ResourceInfo {
    pub name: &'static str,
    pub table: &'static str,
    pub owner: Option<&'static str>,
    pub columns: &'static [(&'static str, bool)],
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
    let mut faults = Vec::new();
    for resource in RESOURCES {
        check_resource(db, resource, &mut faults).await;
    }
    for statement in STATEMENTS {
        check_statement(db, statement, &mut faults).await;
    }
    faults.sort_by(|a, b| a.place.cmp(&b.place));
    faults
}

async fn check_resource(db: &Db, resource: &ResourceInfo, faults: &mut Vec<Fault>) {
    let place = format!("{}:{}", resource.file, resource.line);
    let text = format!("select * from {}", resource.table);
    match Runs::<Reading>::target(db).prepare(text).await {
        Err(error) => faults.push(Fault {
            place,
            what: format!(
                "the table {} of {} cannot be read: {}",
                resource.table,
                resource.name,
                words(&error)
            ),
            fix: "add a migration that makes it, or correct `table = \"…\"`".to_owned(),
        }),
        Ok(found) => {
            let lacks = missing(resource.columns, &found);
            if !lacks.is_empty() {
                faults.push(Fault {
                    place,
                    what: format!("the table {} has no column {lacks}", resource.table),
                    fix: format!(
                        "add a migration that makes it, or take the field out of {}",
                        resource.name
                    ),
                });
            }
        }
    }
}

async fn check_statement(db: &Db, statement: &StatementInfo, faults: &mut Vec<Fault>) {
    let place = || format!("{}:{}", statement.file, statement.line);
    match Runs::<Reading>::target(db)
        .prepare(statement.text.to_owned())
        .await
    {
        Err(error) => faults.push(Fault {
            place: place(),
            what: format!(
                "the database cannot prepare this statement: {}",
                words(&error)
            ),
            fix: "correct the statement, or add the migration that it needs".to_owned(),
        }),
        Ok(found) => {
            let lacks = statement
                .columns
                .map(|columns| missing(columns, &found))
                .unwrap_or_default();
            if !lacks.is_empty() {
                faults.push(Fault {
                    place: place(),
                    what: format!("the statement does not give the column {lacks}"),
                    fix: "name it in the statement, with `as` where it is computed, or take the field out of the row type".to_owned(),
                });
            }
        }
    }
    if statement.unscoped.is_some() {
        return;
    }
    for resource in RESOURCES {
        let Some(owner) = resource.owner else {
            continue;
        };
        if names(statement.text, resource.table) && !names(statement.text, owner) {
            faults.push(Fault {
                place: place(),
                what: format!(
                    "the statement touches {} without naming its owner column {owner}",
                    resource.table
                ),
                fix: format!(
                    "add `{owner} = {{…}}` to it, or say `unscoped = \"why\"` after the literal"
                ),
            });
        }
    }
}

fn missing(wanted: &[(&'static str, bool)], found: &[String]) -> String {
    let lacks = |column: &&(&str, bool)| !found.iter().any(|name| name == column.0);
    wanted
        .iter()
        .filter(lacks)
        .map(|column| column.0)
        .collect::<Vec<_>>()
        .join(", ")
}

fn words(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(database) => database.message().to_owned(),
        other => other.to_string(),
    }
}

/// Whether the SQL names this identifier, outside of strings and comments.
fn names(sql: &str, identifier: &str) -> bool {
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        if first == '\'' {
            rest = rest[1..].split_once('\'').map_or("", |(_, after)| after);
        } else if rest.starts_with("--") {
            rest = rest.split_once('\n').map_or("", |(_, after)| after);
        } else if rest.starts_with("/*") {
            rest = rest.split_once("*/").map_or("", |(_, after)| after);
        } else if first.is_alphanumeric() || first == '_' {
            let end = rest
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(rest.len());
            if rest[..end].eq_ignore_ascii_case(identifier) {
                return true;
            }
            rest = &rest[end..];
        } else {
            rest = &rest[first.len_utf8()..];
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn finds_identifiers_but_not_their_look_alikes() {
        assert!(names("select * from Notes where owner_id = $1", "notes"));
        assert!(names("select n.owner_id from notes n", "owner_id"));
        for other in [
            "select 'notes'",
            "select 1 -- notes",
            "select 1 /* notes */",
            "select * from notes_tags",
            "select co_owner_id",
        ] {
            assert!(
                !names(other, "notes") && !names(other, "owner_id"),
                "{other}"
            );
        }
    }
}
