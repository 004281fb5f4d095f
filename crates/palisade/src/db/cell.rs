//! Values on their way out of a row.

use time::{Date, OffsetDateTime};
use uuid::Uuid;

/// What one column of one row holds, in the kinds that both databases share.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[allow(missing_docs)]
pub enum Cell {
    Null,
    Int(i64),
    Float(f64),
    Bool(bool),
    Text(String),
    Bytes(Vec<u8>),
    Uuid(Uuid),
    Time(OffsetDateTime),
    Date(Date),
}

/// What a field reads, in the kinds that both databases share; compared with the schema at start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs)]
pub enum Kind {
    Int,
    Float,
    Bool,
    Text,
    Bytes,
    Uuid,
    Time,
    Date,
    Json,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Int => "integers",
            Self::Float => "floating-point numbers",
            Self::Bool => "booleans",
            Self::Text => "text",
            Self::Bytes => "bytes",
            Self::Uuid => "UUIDs",
            Self::Time => "points in time",
            Self::Date => "dates",
            Self::Json => "JSON",
        })
    }
}

/// A column holds something else than the field's type says.
#[derive(Debug, thiserror::Error)]
#[error("column does not hold {expected}")]
pub struct ColumnError {
    /// What the field's type reads.
    pub expected: &'static str,
}

/// A type that a `#[row]` or `#[resource]` field may have.
#[diagnostic::on_unimplemented(
    message = "P0506: `{Self}` cannot be read from a column",
    label = "not a type that a column keeps",
    note = "use a number, `bool`, `String`, `Vec<u8>`, `Id<T>`, `Timestamp`, `Date`, an `#[input]` type, or an option of these"
)]
pub trait Column: Sized {
    /// Whether the column may be null.
    const NULLABLE: bool = false;
    /// What the column holds, where that is one kind; `None` compares nothing.
    const KIND: Option<Kind> = None;
    /// Reads what the column holds.
    ///
    /// # Errors
    /// When it holds another kind.
    fn read(cell: Cell) -> Result<Self, ColumnError>;
}

macro_rules! integers {
    ($($ty:ty),+) => {
        $(impl Column for $ty {
            const KIND: Option<Kind> = Some(Kind::Int);
            fn read(cell: Cell) -> Result<Self, ColumnError> {
                let Cell::Int(number) = cell else { return Err(ColumnError { expected: "an integer" }) };
                number.try_into().map_err(|_| ColumnError { expected: concat!("an integer within ", stringify!($ty)) })
            }
        })+
    };
}

integers!(i64, i32, i16, i8, u64, u32, u16, u8, usize);

macro_rules! columns {
    ($($ty:ty, $kind:ident, $expected:literal: $($pattern:pat => $made:expr),+;)+) => {
        $(impl Column for $ty {
            const KIND: Option<Kind> = Some(Kind::$kind);
            fn read(cell: Cell) -> Result<Self, ColumnError> {
                match cell {
                    $($pattern => $made,)+
                    _ => None,
                }
                .ok_or(ColumnError { expected: $expected })
            }
        })+
    };
}

columns! {
    f64, Float, "a number": Cell::Float(v) => Some(v), Cell::Int(v) => Some(v as f64);
    f32, Float, "a number": Cell::Float(v) => Some(v as f32), Cell::Int(v) => Some(v as f32);
    bool, Bool, "a boolean": Cell::Bool(v) => Some(v), Cell::Int(0) => Some(false), Cell::Int(1) => Some(true);
    String, Text, "text": Cell::Text(v) => Some(v);
    Vec<u8>, Bytes, "bytes": Cell::Bytes(v) => Some(v);
    Uuid, Uuid, "a UUID": Cell::Uuid(v) => Some(v), Cell::Text(v) => Uuid::try_parse(&v).ok();
    OffsetDateTime, Time, "a point in time": Cell::Time(v) => Some(v), Cell::Text(v) => read_time(&v);
    Date, Date, "a date": Cell::Date(v) => Some(v), Cell::Text(v) => read_date(&v);
}

fn read_time(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).ok()
}

fn read_date(text: &str) -> Option<Date> {
    Date::parse(
        text,
        time::macros::format_description!("[year]-[month]-[day]"),
    )
    .ok()
}

impl<T: Column> Column for Option<T> {
    const NULLABLE: bool = true;
    const KIND: Option<Kind> = T::KIND;
    fn read(cell: Cell) -> Result<Self, ColumnError> {
        match cell {
            Cell::Null => Ok(None),
            other => T::read(other).map(Some),
        }
    }
}
