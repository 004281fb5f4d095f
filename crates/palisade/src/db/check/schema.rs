//! What the real database tells: its columns, its views, and what a statement would give.

#[cfg(feature = "postgres")]
use sqlx::TypeInfo as _;
use sqlx::{Column as _, Executor as _, Row as _, Statement as _};

use super::super::cell::Kind;
use super::super::error::DbError;
use super::super::handle::Db;
use super::super::pools::{Pools, safe};

/// Which SQL is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Sqlite,
    Postgres,
}

/// A connection for the checks alone: what is prepared on it, with other types than a request would bind, goes with it.
pub(super) enum Probe {
    #[cfg(feature = "sqlite")]
    Sqlite(sqlx::SqliteConnection),
    #[cfg(feature = "postgres")]
    Postgres(sqlx::PgConnection),
}

/// The tables and views of the database.
pub(super) struct Schema {
    pub(super) dialect: Dialect,
    /// Names and texts.
    pub(super) views: Vec<(String, String)>,
    columns: Vec<TableColumn>,
}

/// A foreign key, one column of it.
#[derive(Debug)]
pub(super) struct Reference {
    pub(super) table: String,
    pub(super) column: String,
    pub(super) parent: String,
    pub(super) on_delete: OnDelete,
}

/// What becomes of a row when the one that it refers to is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OnDelete {
    /// The other cannot be deleted.
    Nothing,
    Cascade,
    /// Its column becomes null, or its default.
    SetNull,
}

#[derive(Clone)]
pub(super) struct TableColumn {
    pub(super) table: String,
    pub(super) name: String,
    pub(super) nullable: bool,
    /// The type as declared.
    #[cfg(feature = "sqlite")]
    declared: String,
    /// PostgreSQL's numbers of the table and the column.
    #[cfg(feature = "postgres")]
    number: (i64, i64),
}

/// What a statement would give.
pub(super) struct Prepared {
    pub(super) columns: Vec<GivenColumn>,
    /// How many values it wants bound.
    pub(super) values: usize,
}

pub(super) struct GivenColumn {
    pub(super) name: String,
    /// The column of a table that it is; `None` where it is computed, or comes from a view.
    pub(super) origin: Option<TableColumn>,
    pub(super) holds: Holds,
}

/// What a column holds, as far as the database tells.
pub(super) enum Holds {
    #[cfg(feature = "sqlite")]
    Unknown,
    /// PostgreSQL: this and nothing else.
    #[cfg(feature = "postgres")]
    Exactly(Kind),
    /// SQLite: what its declared type turns values into, bytes excepted.
    #[cfg(feature = "sqlite")]
    Mostly(Kind),
    /// PostgreSQL: a type that no field reads.
    #[cfg(feature = "postgres")]
    Foreign(String),
}

impl Probe {
    pub(super) async fn open(db: &Db) -> Result<Self, DbError> {
        Ok(match db.pools() {
            #[cfg(feature = "sqlite")]
            Pools::Sqlite { readers, .. } => Self::Sqlite(readers.untimed().await?.detach()),
            #[cfg(feature = "postgres")]
            Pools::Postgres { readers, .. } => Self::Postgres(readers.acquire().await?.detach()),
        })
    }

    pub(super) async fn close(self) {
        use sqlx::Connection as _;
        // It read only; how its end goes changes nothing.
        let _ = match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => connection.close().await,
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => connection.close().await,
        };
    }

    pub(super) async fn schema(&mut self) -> Result<Schema, DbError> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => {
                // A primary key is never null here: what SQLite lets in for history's sake, no app means.
                let columns = connection
                    .fetch_all(
                        "select t.name, c.name, c.type, c.\"notnull\" = 0 and c.pk = 0
                         from sqlite_schema t join pragma_table_xinfo(t.name) c where t.type = 'table'",
                    )
                    .await?;
                let views = connection
                    .fetch_all("select name, sql from sqlite_schema where type = 'view'")
                    .await?;
                let column = |row: &sqlx::sqlite::SqliteRow| {
                    Ok(TableColumn {
                        table: row.try_get(0)?,
                        name: row.try_get(1)?,
                        declared: row.try_get(2)?,
                        nullable: row.try_get(3)?,
                        #[cfg(feature = "postgres")]
                        number: (0, 0),
                    })
                };
                let view = |row: &sqlx::sqlite::SqliteRow| Ok((row.try_get(0)?, row.try_get(1)?));
                Ok(Schema {
                    dialect: Dialect::Sqlite,
                    columns: columns
                        .iter()
                        .map(column)
                        .collect::<Result<_, sqlx::Error>>()?,
                    views: views.iter().map(view).collect::<Result<_, sqlx::Error>>()?,
                })
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => {
                let columns = connection
                    .fetch_all(
                        "select c.relname::text, a.attname::text, not (a.attnotnull or t.typnotnull),
                                c.oid::int8, a.attnum::int8
                         from pg_catalog.pg_attribute a
                         join pg_catalog.pg_class c on c.oid = a.attrelid
                         join pg_catalog.pg_type t on t.oid = a.atttypid
                         join pg_catalog.pg_namespace n on n.oid = c.relnamespace
                         where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p')
                         and n.nspname <> 'information_schema' and n.nspname not like 'pg\\_%'",
                    )
                    .await?;
                let views = connection
                    .fetch_all(
                        "select c.relname::text, pg_catalog.pg_get_viewdef(c.oid)
                         from pg_catalog.pg_class c
                         join pg_catalog.pg_namespace n on n.oid = c.relnamespace
                         where c.relkind in ('v', 'm')
                         and n.nspname <> 'information_schema' and n.nspname not like 'pg\\_%'",
                    )
                    .await?;
                let column = |row: &sqlx::postgres::PgRow| {
                    Ok(TableColumn {
                        table: row.try_get(0)?,
                        name: row.try_get(1)?,
                        nullable: row.try_get(2)?,
                        number: (row.try_get(3)?, row.try_get(4)?),
                        #[cfg(feature = "sqlite")]
                        declared: String::new(),
                    })
                };
                let view = |row: &sqlx::postgres::PgRow| Ok((row.try_get(0)?, row.try_get(1)?));
                Ok(Schema {
                    dialect: Dialect::Postgres,
                    columns: columns
                        .iter()
                        .map(column)
                        .collect::<Result<_, sqlx::Error>>()?,
                    views: views.iter().map(view).collect::<Result<_, sqlx::Error>>()?,
                })
            }
        }
    }

    /// The foreign keys of the database.
    pub(super) async fn references(&mut self) -> Result<Vec<Reference>, DbError> {
        let of = |table, column, parent, on_delete: String| Reference {
            table,
            column,
            parent,
            on_delete: match on_delete.to_ascii_uppercase().as_str() {
                "CASCADE" | "C" => OnDelete::Cascade,
                "SET NULL" | "SET DEFAULT" | "N" | "D" => OnDelete::SetNull,
                _ => OnDelete::Nothing,
            },
        };
        Ok(match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => {
                let rows = connection
                    .fetch_all(
                        "select t.name, f.\"from\", f.\"table\", f.on_delete
                         from sqlite_schema t join pragma_foreign_key_list(t.name) f where t.type = 'table'",
                    )
                    .await?;
                let read = |row: &sqlx::sqlite::SqliteRow| {
                    Ok(of(
                        row.try_get(0)?,
                        row.try_get(1)?,
                        row.try_get(2)?,
                        row.try_get(3)?,
                    ))
                };
                rows.iter().map(read).collect::<Result<_, sqlx::Error>>()?
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => {
                let rows = connection
                    .fetch_all(
                        "select t.relname::text, a.attname::text, p.relname::text, f.confdeltype::text
                         from pg_catalog.pg_constraint f
                         join pg_catalog.pg_class t on t.oid = f.conrelid
                         join pg_catalog.pg_class p on p.oid = f.confrelid
                         join pg_catalog.pg_attribute a on a.attrelid = f.conrelid and a.attnum = any (f.conkey)
                         where f.contype = 'f'",
                    )
                    .await?;
                let read = |row: &sqlx::postgres::PgRow| {
                    Ok(of(
                        row.try_get(0)?,
                        row.try_get(1)?,
                        row.try_get(2)?,
                        row.try_get(3)?,
                    ))
                };
                rows.iter().map(read).collect::<Result<_, sqlx::Error>>()?
            }
        })
    }

    /// Prepares a statement without running it.
    pub(super) async fn prepare(
        &mut self,
        text: String,
        schema: &Schema,
    ) -> Result<Prepared, sqlx::Error> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => {
                let prepared = connection.prepare(safe(text.into())).await?;
                Ok(Prepared {
                    values: count(prepared.parameters()),
                    columns: prepared
                        .columns()
                        .iter()
                        .map(|column| of_sqlite(column, schema))
                        .collect(),
                })
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => {
                let prepared = connection.prepare(safe(text.into())).await?;
                Ok(Prepared {
                    values: count(prepared.parameters()),
                    columns: prepared
                        .columns()
                        .iter()
                        .map(|column| of_postgres(column, schema))
                        .collect(),
                })
            }
        }
    }
}

fn count<T>(parameters: Option<sqlx::Either<&[T], usize>>) -> usize {
    match parameters {
        Some(sqlx::Either::Left(types)) => types.len(),
        Some(sqlx::Either::Right(count)) => count,
        None => 0,
    }
}

impl Schema {
    pub(super) fn has_column(&self, table: &str, column: &str) -> bool {
        self.columns.iter().any(|known| known.is(table, column))
    }

    /// Whether the column may be null; `None` when there is no such column.
    pub(super) fn is_nullable(&self, table: &str, column: &str) -> Option<bool> {
        let mut known = self.columns.iter();
        let found = known.find(|known| known.is(table, column));
        found.map(|column| column.nullable)
    }
}

impl TableColumn {
    fn is(&self, table: &str, name: &str) -> bool {
        self.table.eq_ignore_ascii_case(table) && self.name.eq_ignore_ascii_case(name)
    }
}

#[cfg(feature = "sqlite")]
fn of_sqlite(column: &sqlx::sqlite::SqliteColumn, schema: &Schema) -> GivenColumn {
    let origin = column.origin();
    let origin = origin.table_column().and_then(|from| {
        let mut known = schema.columns.iter();
        known
            .find(|known| known.is(&from.table, &from.name))
            .cloned()
    });
    let holds = origin
        .as_ref()
        .map_or(Holds::Unknown, |origin| affinity(&origin.declared));
    GivenColumn {
        name: column.name().to_owned(),
        origin,
        holds,
    }
}

/// SQLite's rules of affinity (datatype3.html, section 3.1), where they settle what a column holds.
#[cfg(feature = "sqlite")]
fn affinity(declared: &str) -> Holds {
    let upper = declared.to_ascii_uppercase();
    let has = |parts: &[&str]| parts.iter().any(|part| upper.contains(part));
    let kind = if has(&["INT"]) {
        Kind::Int
    } else if has(&["CHAR", "CLOB", "TEXT"]) {
        Kind::Text
    } else if !has(&["BLOB"]) && has(&["REAL", "FLOA", "DOUB"]) {
        Kind::Float
    } else {
        return Holds::Unknown;
    };
    Holds::Mostly(kind)
}

#[cfg(feature = "postgres")]
fn of_postgres(column: &sqlx::postgres::PgColumn, schema: &Schema) -> GivenColumn {
    let number = column.relation_id().zip(column.relation_attribute_no());
    let origin = number.and_then(|(table, column)| {
        let number = (i64::from(table.0), i64::from(column));
        let mut known = schema.columns.iter();
        known.find(|known| known.number == number).cloned()
    });
    let kind = column.type_info();
    GivenColumn {
        name: column.name().to_owned(),
        origin,
        holds: match super::super::row::postgres_kind(kind) {
            Some(kind) => Holds::Exactly(kind),
            None => Holds::Foreign(kind.name().to_ascii_lowercase()),
        },
    }
}

#[cfg(test)]
impl Schema {
    pub(super) fn of(dialect: Dialect, columns: &[(&str, &str)], views: &[(&str, &str)]) -> Self {
        let column = |(table, name): &(&str, &str)| TableColumn {
            table: (*table).to_owned(),
            name: (*name).to_owned(),
            nullable: false,
            #[cfg(feature = "sqlite")]
            declared: String::new(),
            #[cfg(feature = "postgres")]
            number: (0, 0),
        };
        let view = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
        Self {
            dialect,
            columns: columns.iter().map(column).collect(),
            views: views.iter().map(view).collect(),
        }
    }
}
