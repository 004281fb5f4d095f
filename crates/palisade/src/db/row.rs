//! Rows: what a statement gives, as typed values.

use sqlx::{Row as _, TypeInfo as _, ValueRef as _};
use uuid::Uuid;

use super::cell::{Cell, Column, ColumnError};
use super::error::DbError;
use super::handle::ReadDb;
use crate::error::Result;

/// One row as the driver gave it.
#[derive(Debug)]
#[non_exhaustive]
#[allow(missing_docs)]
pub enum RawRow {
    #[cfg(feature = "sqlite")]
    Sqlite(sqlx::sqlite::SqliteRow),
    #[cfg(feature = "postgres")]
    Postgres(sqlx::postgres::PgRow),
}

/// A struct whose fields are read from the columns of their names; made by `#[row]` or `#[resource]`.
#[diagnostic::on_unimplemented(
    message = "P0505: `{Self}` is not a row",
    label = "not read from columns",
    note = "declare it with `#[resource(table = \"…\", owner = \"…\")]` or `#[row]`, or read a scalar such as `i64`"
)]
pub trait Row: Sized + 'static {
    /// The columns that it reads, and whether each may be null.
    const COLUMNS: &'static [(&'static str, bool)];
    /// Reads one row.
    ///
    /// # Errors
    /// When a column is missing or holds another type.
    fn from_row(row: &RawRow) -> Result<Self, DbError>;
}

/// A row that a plain `sql!("…")` may give: a resource or a scalar. A `#[row]` type is named: `sql!(TagCount, "…")`.
#[diagnostic::on_unimplemented(
    message = "P0507: the statement does not say that it gives `{Self}`",
    label = "not a resource and not a scalar",
    note = "name a `#[row]` type in the statement, `sql!({Self}, \"select …\")`, so that its columns are compared at start"
)]
pub trait Untyped: Row {}

/// A table with an id and, mostly, an owner; made by `#[resource]`.
#[diagnostic::on_unimplemented(
    message = "P0508: `{Self}` is not a resource",
    label = "has no table and no id",
    note = "declare it with `#[resource(table = \"…\", owner = \"…\")]`"
)]
pub trait Resource: Row + Send + Sync + 'static {
    /// Its name as a path parameter: `note` for `Note`.
    const NAME: &'static str;
    /// Its table.
    const TABLE: &'static str;
    /// The column that names the account it belongs to; `None` when it belongs to nobody.
    const OWNER: Option<&'static str>;
    /// `select * from TABLE where id = $1`.
    const SELECT: &'static str;
    /// Its id.
    fn key(&self) -> Uuid;
}

/// One resource by its id, when it is there; asks no policy.
///
/// # Errors
/// 500 or 503 when the database fails.
pub async fn load<T: Resource>(db: &ReadDb, id: Uuid) -> Result<Option<T>> {
    let row = db
        .fetch_optional(T::SELECT.into(), vec![super::value::Value::Uuid(Some(id))])
        .await;
    let row = row.map_err(DbError::into_error)?;
    Ok(row.as_ref().map(T::from_row).transpose()?)
}

/// How a field's type reads a column; asks for `Column` once, at the type's own place.
#[doc(hidden)]
#[derive(Debug)]
pub struct ColumnOf<T> {
    pub nullable: bool,
    pub read: fn(Cell) -> Result<T, ColumnError>,
}

#[doc(hidden)]
pub const fn column_of<T: Column>() -> ColumnOf<T> {
    ColumnOf {
        nullable: T::NULLABLE,
        read: T::read,
    }
}

#[doc(hidden)]
pub const fn columns_of<T: Row>() -> &'static [(&'static str, bool)] {
    T::COLUMNS
}

impl RawRow {
    /// Reads the column of this name.
    ///
    /// # Errors
    /// When there is none, or it holds another type.
    pub fn column<T: Column>(&self, name: &'static str) -> Result<T, DbError> {
        T::read(self.cell(name)?).map_err(|error| mismatch(name, error))
    }

    #[doc(hidden)]
    pub fn column_with<T>(
        &self,
        name: &'static str,
        read: fn(Cell) -> Result<T, ColumnError>,
    ) -> Result<T, DbError> {
        read(self.cell(name)?).map_err(|error| mismatch(name, error))
    }

    fn first<T: Column>(&self) -> Result<T, DbError> {
        T::read(self.cell(0)?).map_err(|error| mismatch("(the first)", error))
    }

    fn cell<I>(&self, index: I) -> Result<Cell, DbError>
    where
        I: IndexAny,
    {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(row) => sqlite_cell(row.try_get_raw(index)?),
            #[cfg(feature = "postgres")]
            Self::Postgres(row) => postgres_cell(row.try_get_raw(index)?),
        }
    }
}

fn mismatch(name: &'static str, error: ColumnError) -> DbError {
    DbError::Statement(sqlx::Error::ColumnDecode {
        index: name.to_owned(),
        source: error.into(),
    })
}

#[cfg(all(feature = "sqlite", feature = "postgres"))]
trait IndexAny:
    sqlx::ColumnIndex<sqlx::sqlite::SqliteRow> + sqlx::ColumnIndex<sqlx::postgres::PgRow>
{
}
#[cfg(all(feature = "sqlite", not(feature = "postgres")))]
trait IndexAny: sqlx::ColumnIndex<sqlx::sqlite::SqliteRow> {}
#[cfg(all(not(feature = "sqlite"), feature = "postgres"))]
trait IndexAny: sqlx::ColumnIndex<sqlx::postgres::PgRow> {}
impl IndexAny for &str {}
impl IndexAny for usize {}

#[cfg(feature = "sqlite")]
fn sqlite_cell(value: sqlx::sqlite::SqliteValueRef<'_>) -> Result<Cell, DbError> {
    use sqlx::Decode;
    type Db = sqlx::Sqlite;
    if value.is_null() {
        return Ok(Cell::Null);
    }
    let kind = value.type_info().name().to_owned();
    let cell = match kind.as_str() {
        "INTEGER" | "BOOLEAN" | "INT4" | "INT8" | "BIGINT" => {
            <i64 as Decode<'_, Db>>::decode(value).map(Cell::Int)
        }
        "REAL" => <f64 as Decode<'_, Db>>::decode(value).map(Cell::Float),
        "BLOB" => <Vec<u8> as Decode<'_, Db>>::decode(value).map(Cell::Bytes),
        _ => <String as Decode<'_, Db>>::decode(value).map(Cell::Text),
    };
    cell.map_err(|error| DbError::Statement(sqlx::Error::Decode(error)))
}

#[cfg(feature = "postgres")]
fn postgres_cell(value: sqlx::postgres::PgValueRef<'_>) -> Result<Cell, DbError> {
    use sqlx::Decode;
    type Db = sqlx::Postgres;
    if value.is_null() {
        return Ok(Cell::Null);
    }
    let kind = value.type_info().name().to_owned();
    let cell = match kind.as_str() {
        "INT2" => <i16 as Decode<'_, Db>>::decode(value).map(|v| Cell::Int(v.into())),
        "INT4" => <i32 as Decode<'_, Db>>::decode(value).map(|v| Cell::Int(v.into())),
        "INT8" => <i64 as Decode<'_, Db>>::decode(value).map(Cell::Int),
        "FLOAT4" => <f32 as Decode<'_, Db>>::decode(value).map(|v| Cell::Float(v.into())),
        "FLOAT8" => <f64 as Decode<'_, Db>>::decode(value).map(Cell::Float),
        "BOOL" => <bool as Decode<'_, Db>>::decode(value).map(Cell::Bool),
        "BYTEA" => <Vec<u8> as Decode<'_, Db>>::decode(value).map(Cell::Bytes),
        "UUID" => <Uuid as Decode<'_, Db>>::decode(value).map(Cell::Uuid),
        "TIMESTAMPTZ" => <time::OffsetDateTime as Decode<'_, Db>>::decode(value).map(Cell::Time),
        "DATE" => <time::Date as Decode<'_, Db>>::decode(value).map(Cell::Date),
        "JSON" | "JSONB" => {
            <serde_json::Value as Decode<'_, Db>>::decode(value).map(|v| Cell::Text(v.to_string()))
        }
        _ => <String as Decode<'_, Db>>::decode(value).map(Cell::Text),
    };
    cell.map_err(|error| DbError::Statement(sqlx::Error::Decode(error)))
}

macro_rules! scalars {
    ($($ty:ty),+) => {
        $(impl Row for $ty {
            const COLUMNS: &'static [(&'static str, bool)] = &[];
            fn from_row(row: &RawRow) -> Result<Self, DbError> {
                row.first()
            }
        }
        impl Untyped for $ty {}
        impl Row for Option<$ty> {
            const COLUMNS: &'static [(&'static str, bool)] = &[];
            fn from_row(row: &RawRow) -> Result<Self, DbError> {
                row.first()
            }
        }
        impl Untyped for Option<$ty> {})+
    };
}

scalars!(
    i64,
    i32,
    u64,
    u32,
    f64,
    bool,
    String,
    Vec<u8>,
    Uuid,
    time::OffsetDateTime,
    time::Date
);
