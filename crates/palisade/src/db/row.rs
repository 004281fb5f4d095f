//! Rows: what a statement gives, as typed values.

use sqlx::{Row as _, TypeInfo as _, ValueRef as _};
use uuid::Uuid;

use super::cell::{Cell, Column, ColumnError, Kind};
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
    /// The columns that it reads.
    const COLUMNS: &'static [ColumnInfo];
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

/// What a row type reads from one column.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct ColumnInfo {
    pub name: &'static str,
    pub nullable: bool,
    pub kind: Option<Kind>,
}

/// How a field's type reads a column; asks for `Column` once, at the type's own place.
#[doc(hidden)]
#[derive(Debug)]
pub struct ColumnOf<T> {
    pub nullable: bool,
    pub kind: Option<Kind>,
    pub read: fn(Cell) -> Result<T, ColumnError>,
}

#[doc(hidden)]
pub const fn column_of<T: Column>() -> ColumnOf<T> {
    ColumnOf {
        nullable: T::NULLABLE,
        kind: T::KIND,
        read: T::read,
    }
}

#[doc(hidden)]
pub const fn columns_of<T: Row>() -> &'static [ColumnInfo] {
    T::COLUMNS
}

impl<T> ColumnOf<T> {
    pub const fn named(&self, name: &'static str) -> ColumnInfo {
        ColumnInfo {
            name,
            nullable: self.nullable,
            kind: self.kind,
        }
    }
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

    pub(crate) fn first<T: Column>(&self) -> Result<T, DbError> {
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
    let kind = match value.type_info().name() {
        "INTEGER" | "BOOLEAN" | "INT4" | "INT8" | "BIGINT" => Kind::Int,
        "REAL" => Kind::Float,
        "BLOB" => Kind::Bytes,
        _ => Kind::Text,
    };
    let cell = match kind {
        Kind::Int => <i64 as Decode<'_, Db>>::decode(value).map(Cell::Int),
        Kind::Float => <f64 as Decode<'_, Db>>::decode(value).map(Cell::Float),
        Kind::Bytes => <Vec<u8> as Decode<'_, Db>>::decode(value).map(Cell::Bytes),
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
    let (kind, name) = {
        let info = value.type_info();
        (postgres_kind(&info), info.name().to_owned())
    };
    let cell = match kind {
        Some(Kind::Int) if name == "INT2" => {
            <i16 as Decode<'_, Db>>::decode(value).map(|v| Cell::Int(v.into()))
        }
        Some(Kind::Int) if name == "INT4" => {
            <i32 as Decode<'_, Db>>::decode(value).map(|v| Cell::Int(v.into()))
        }
        Some(Kind::Int) => <i64 as Decode<'_, Db>>::decode(value).map(Cell::Int),
        Some(Kind::Float) if name == "FLOAT4" => {
            <f32 as Decode<'_, Db>>::decode(value).map(|v| Cell::Float(v.into()))
        }
        Some(Kind::Float) => <f64 as Decode<'_, Db>>::decode(value).map(Cell::Float),
        Some(Kind::Bool) => <bool as Decode<'_, Db>>::decode(value).map(Cell::Bool),
        Some(Kind::Bytes) => <Vec<u8> as Decode<'_, Db>>::decode(value).map(Cell::Bytes),
        Some(Kind::Uuid) => <Uuid as Decode<'_, Db>>::decode(value).map(Cell::Uuid),
        Some(Kind::Time) => <time::OffsetDateTime as Decode<'_, Db>>::decode(value).map(Cell::Time),
        Some(Kind::Date) => <time::Date as Decode<'_, Db>>::decode(value).map(Cell::Date),
        Some(Kind::Json) => {
            <serde_json::Value as Decode<'_, Db>>::decode(value).map(|v| Cell::Text(v.to_string()))
        }
        Some(Kind::Text) => <String as Decode<'_, Db>>::decode(value).map(Cell::Text),
        // Its bytes would be taken for text.
        None => Err(format!(
            "no field reads {}: cast it in the statement",
            name.to_lowercase()
        )
        .into()),
    };
    cell.map_err(|error| DbError::Statement(sqlx::Error::Decode(error)))
}

/// What a field reads of a column of this type, if any does.
#[cfg(feature = "postgres")]
pub(super) fn postgres_kind(info: &sqlx::postgres::PgTypeInfo) -> Option<Kind> {
    use sqlx::postgres::PgTypeKind;
    Some(match info.name() {
        "INT2" | "INT4" | "INT8" => Kind::Int,
        "FLOAT4" | "FLOAT8" => Kind::Float,
        "BOOL" => Kind::Bool,
        "BYTEA" => Kind::Bytes,
        "UUID" => Kind::Uuid,
        "TIMESTAMPTZ" => Kind::Time,
        "DATE" => Kind::Date,
        "JSON" | "JSONB" => Kind::Json,
        "TEXT" | "VARCHAR" | "CHAR" | "NAME" | "UNKNOWN" => Kind::Text,
        name if name.eq_ignore_ascii_case("citext") => Kind::Text,
        _ if matches!(info.kind(), PgTypeKind::Enum(_)) => Kind::Text,
        _ => return None,
    })
}

/// Makes types that a column keeps rows of their own: `sql!("select count(*) …").one::<i64>(…)`.
macro_rules! scalars {
    ($([$($generics:tt)*] $ty:ty),+ $(,)?) => {
        $($crate::db::scalars!(@one [$($generics)*] $ty);
        $crate::db::scalars!(@one [$($generics)*] Option<$ty>);)+
    };
    (@one [$($generics:tt)*] $ty:ty) => {
        impl<$($generics)*> $crate::db::Row for $ty {
            const COLUMNS: &'static [$crate::db::ColumnInfo] = &[];
            fn from_row(row: &$crate::db::RawRow) -> Result<Self, $crate::db::DbError> {
                row.first()
            }
        }
        impl<$($generics)*> $crate::db::Untyped for $ty {}
    };
}
pub(crate) use scalars;

scalars!(
    [] i64,
    [] i32,
    [] u64,
    [] u32,
    [] f64,
    [] bool,
    [] String,
    [] Vec<u8>,
    [] Uuid,
    [] time::OffsetDateTime,
    [] time::Date,
);
