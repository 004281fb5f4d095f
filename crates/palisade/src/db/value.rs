//! Values on their way into a statement, always as bound parameters.

use std::collections::BTreeSet;

use time::{Date, OffsetDateTime};
use uuid::Uuid;

/// One bound parameter; the kinds are what both databases keep.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[allow(missing_docs)]
pub enum Value {
    Int(Option<i64>),
    Float(Option<f64>),
    Bool(Option<bool>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
    Uuid(Option<Uuid>),
    Time(Option<OffsetDateTime>),
    Date(Option<Date>),
    Json(Option<serde_json::Value>),
    /// What JSON cannot hold; a statement that binds it fails.
    Unwritable,
}

/// A value that may stand in a statement as `{expr}`.
///
/// # Security
/// `Ref<T>` (an id that a client claimed) and `Secret<T>` do not implement it: the first becomes `Can<Action, T>` by a
/// policy, the second is stored hashed.
#[diagnostic::on_unimplemented(
    message = "P0502: `{Self}` cannot be bound in a statement",
    label = "not a value that a column keeps",
    note = "bind a number, text, bytes, `Id<T>`, `Timestamp`, an `#[output]` type, an option of these, or a proof such as `Can<Edit, T>` in place of a `Ref<T>`"
)]
pub trait Bind {
    /// The typed null of this kind.
    const NULL: Value;
    /// What is bound.
    fn value(&self) -> Value;
}

/// Values that may stand in a statement as `{..list}`, in `in (…)`.
#[diagnostic::on_unimplemented(
    message = "P0502: `{Self}` cannot be bound as a list in a statement",
    label = "not a list of values",
    note = "write `{{..list}}` of a `Vec`, a slice, a `List` or a `Set`, and `{{value}}` for one value"
)]
pub trait BindList {
    /// What is bound, one by one.
    fn values(&self) -> Vec<Value>;
}

/// Asks for `Bind` once, at the value's own place.
#[doc(hidden)]
pub fn bind<T: Bind + ?Sized>(value: &T) -> Value {
    value.value()
}

macro_rules! bind {
    ($($kind:ident: $($ty:ty => |$value:ident| $made:expr),+;)+) => {
        $($(impl Bind for $ty {
            const NULL: Value = Value::$kind(None);
            fn value(&self) -> Value {
                let $value = self;
                Value::$kind(Some($made))
            }
        })+)+
    };
}

bind! {
    Int: i64 => |v| *v, i32 => |v| i64::from(*v), i16 => |v| i64::from(*v), i8 => |v| i64::from(*v),
         u32 => |v| i64::from(*v), u16 => |v| i64::from(*v), u8 => |v| i64::from(*v);
    Float: f64 => |v| *v, f32 => |v| f64::from(*v);
    Bool: bool => |v| *v;
    Text: String => |v| v.clone(), str => |v| v.to_owned();
    Bytes: Vec<u8> => |v| v.clone(), [u8] => |v| v.to_vec();
    Uuid: Uuid => |v| *v;
    Time: OffsetDateTime => |v| *v;
    Date: Date => |v| *v;
}

impl<const N: usize> Bind for [u8; N] {
    const NULL: Value = Value::Bytes(None);
    fn value(&self) -> Value {
        Value::Bytes(Some(self.to_vec()))
    }
}

impl<T: Bind + ?Sized> Bind for &T {
    const NULL: Value = T::NULL;
    fn value(&self) -> Value {
        (**self).value()
    }
}

impl<T: Bind> BindList for [T] {
    fn values(&self) -> Vec<Value> {
        self.iter().map(Bind::value).collect()
    }
}

impl<T: Bind, const N: usize> BindList for [T; N] {
    fn values(&self) -> Vec<Value> {
        self.as_slice().values()
    }
}

impl<T: Bind> BindList for Vec<T> {
    fn values(&self) -> Vec<Value> {
        self.as_slice().values()
    }
}

impl<T: Bind> BindList for BTreeSet<T> {
    fn values(&self) -> Vec<Value> {
        self.iter().map(Bind::value).collect()
    }
}

impl<L: BindList + ?Sized> BindList for &L {
    fn values(&self) -> Vec<Value> {
        (**self).values()
    }
}

impl<T: Bind> Bind for Option<T> {
    const NULL: Value = T::NULL;
    fn value(&self) -> Value {
        self.as_ref().map_or(T::NULL, Bind::value)
    }
}

fn unwritable() -> sqlx::Error {
    sqlx::Error::Encode("a value cannot be written as JSON".into())
}

/// Microseconds, UTC, fixed width: text that sorts as time does.
#[cfg(feature = "sqlite")]
pub(crate) const SQLITE_TIME: &[time::format_description::BorrowedFormatItem<'static>] = time::macros::format_description!(
    "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z"
);
#[cfg(feature = "sqlite")]
pub(crate) const SQLITE_DATE: &[time::format_description::BorrowedFormatItem<'static>] =
    time::macros::format_description!("[year]-[month]-[day]");

#[cfg(feature = "sqlite")]
pub(super) fn sqlite_arguments(
    values: Vec<Value>,
) -> Result<sqlx::sqlite::SqliteArguments, sqlx::Error> {
    use sqlx::Arguments as _;
    let mut arguments = sqlx::sqlite::SqliteArguments::default();
    for value in values {
        match value {
            Value::Int(v) => arguments.add(v),
            Value::Float(v) => arguments.add(v),
            Value::Bool(v) => arguments.add(v),
            Value::Text(v) => arguments.add(v),
            Value::Bytes(v) => arguments.add(v),
            Value::Uuid(v) => arguments.add(v.map(|v| v.hyphenated().to_string())),
            Value::Time(v) => {
                let text = v
                    .map(|v| v.to_offset(time::UtcOffset::UTC).format(SQLITE_TIME))
                    .transpose();
                arguments.add(text.map_err(|e| sqlx::Error::Encode(e.into()))?)
            }
            Value::Date(v) => {
                let text = v.map(|v| v.format(SQLITE_DATE)).transpose();
                arguments.add(text.map_err(|e| sqlx::Error::Encode(e.into()))?)
            }
            Value::Json(v) => arguments.add(v.map(|v| v.to_string())),
            Value::Unwritable => return Err(unwritable()),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

#[cfg(feature = "postgres")]
pub(super) fn postgres_arguments(
    values: Vec<Value>,
) -> Result<sqlx::postgres::PgArguments, sqlx::Error> {
    use sqlx::Arguments as _;
    let mut arguments = sqlx::postgres::PgArguments::default();
    for value in values {
        match value {
            Value::Int(v) => arguments.add(v),
            Value::Float(v) => arguments.add(v),
            Value::Bool(v) => arguments.add(v),
            Value::Text(v) => arguments.add(v),
            Value::Bytes(v) => arguments.add(v),
            Value::Uuid(v) => arguments.add(v),
            Value::Time(v) => arguments.add(v),
            Value::Date(v) => arguments.add(v),
            Value::Json(v) => arguments.add(v),
            Value::Unwritable => return Err(unwritable()),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}
