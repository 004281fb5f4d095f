//! What one field of an `#[output]` may be.

use std::collections::{BTreeMap, BTreeSet};

use serde::ser::{Serialize, SerializeMap as _, SerializeStruct, Serializer};

use crate::db::{Bind, Value};
use crate::input::{Date, Email, Int, List, Map, RichText, Set, Slug, Text, Timestamp, Url};

/// An `#[output]` type: what leaves the server is what it lists, and nothing else.
#[diagnostic::on_unimplemented(
    message = "P0401: `{Self}` does not say what of it may leave the server",
    label = "not an output",
    note = "declare a type with `#[output]`, or `#[output(from = {Self})]` where it is a row, and answer with that"
)]
pub trait Output: Serialize {}

/// What may stand in an `#[output]`: scalars, bounded types, ids, lists and options of these, other outputs.
#[diagnostic::on_unimplemented(
    message = "P0402: `{Self}` cannot leave the server",
    label = "not allowed in an `#[output]`",
    note = "use text, numbers, `bool`, `Id<T>`, `Timestamp`, options or lists of these, or another `#[output]` type; secrets, rows and free-form JSON stay inside"
)]
pub trait OutputField {
    #[doc(hidden)]
    fn show<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;
}

struct Shown<'a, T: ?Sized>(&'a T);

impl<T: OutputField + ?Sized> Serialize for Shown<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.show(serializer)
    }
}

#[doc(hidden)]
pub fn begin<S: Serializer>(
    serializer: S,
    name: &'static str,
    fields: usize,
) -> Result<S::SerializeStruct, S::Error> {
    serializer.serialize_struct(name, fields)
}

/// Writes one field; asks for `OutputField` once, at the field's own place.
#[doc(hidden)]
pub fn field<S: SerializeStruct, T: OutputField + ?Sized>(
    output: &mut S,
    name: &'static str,
    value: &T,
) -> Result<(), S::Error> {
    output.serialize_field(name, &Shown(value))
}

impl<T: Output> OutputField for T {
    fn show<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }
}

macro_rules! plain {
    ($($ty:ty),+) => {
        $(impl OutputField for $ty {
            fn show<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.serialize(serializer)
            }
        })+
    };
}

plain!(
    i8,
    i16,
    i32,
    i64,
    u8,
    u16,
    u32,
    u64,
    f32,
    f64,
    bool,
    String,
    str,
    &'static str
);

macro_rules! as_text {
    ($([$($generics:tt)*] $ty:ty),+) => {
        $(impl<$($generics)*> OutputField for $ty {
            fn show<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self)
            }
        })+
    };
}

as_text!(
    [const MIN: usize, const MAX: usize] Text<MIN, MAX>, [const MAX: usize] RichText<MAX>,
    [] Email, [] Slug, [] Url
);

macro_rules! displayed {
    ($($ty:ty),+) => {
        $(impl OutputField for $ty {
            fn show<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        })+
    };
}

displayed!(Timestamp, Date);

impl<const MIN: i64, const MAX: i64> OutputField for Int<MIN, MAX> {
    fn show<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.get())
    }
}

impl<T: OutputField> OutputField for Option<T> {
    fn show<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Some(value) => value.show(serializer),
            None => serializer.serialize_none(),
        }
    }
}

impl<T: OutputField> OutputField for Vec<T> {
    fn show<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(Shown))
    }
}

impl<T: OutputField> OutputField for BTreeSet<T> {
    fn show<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(Shown))
    }
}

impl<K: OutputField, V: OutputField> OutputField for BTreeMap<K, V> {
    fn show<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (key, value) in self {
            map.serialize_entry(&Shown(key), &Shown(value))?;
        }
        map.end()
    }
}

impl<T: OutputField, const N: usize> OutputField for List<T, N> {
    fn show<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).show(serializer)
    }
}

impl<T: OutputField, const N: usize> OutputField for Set<T, N> {
    fn show<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).show(serializer)
    }
}

impl<K: OutputField, V: OutputField, const N: usize> OutputField for Map<K, V, N> {
    fn show<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).show(serializer)
    }
}

/// What is stored of a value that is kept as JSON.
#[doc(hidden)]
pub fn write_json<T: OutputField>(value: &T) -> Value {
    serde_json::to_value(Shown(value)).map_or(Value::Unwritable, |json| Value::Json(Some(json)))
}

/// A list, set or map is stored as JSON.
macro_rules! stored_as_json {
    ($([$($generics:tt)*] $ty:ty),+) => {
        $(impl<$($generics)*> Bind for $ty {
            const NULL: Value = Value::Json(None);
            fn value(&self) -> Value {
                write_json(self)
            }
        })+
    };
}

stored_as_json!(
    [T: OutputField, const N: usize] List<T, N>,
    [T: OutputField, const N: usize] Set<T, N>,
    [K: OutputField, V: OutputField, const N: usize] Map<K, V, N>
);
