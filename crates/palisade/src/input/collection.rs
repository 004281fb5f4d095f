//! Bounded lists, sets and maps, and a change that tells absent, null and a value apart.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

use garde::rules::range::{Bounds, OutOfBounds};

use super::field::{Field, RawField, each, list, read_json};
use super::node::Node;
use super::reader::Reader;
use crate::db::{Bind, BindList, Cell, Column, ColumnError, Kind, Value};

/// At most `N` values.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct List<T, const N: usize>(Vec<T>);

/// At most `N` values, each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set<T, const N: usize>(BTreeSet<T>);

/// At most `N` entries, keys and values bounded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Map<K, V, const N: usize>(BTreeMap<K, V>);

fn bounded<const N: usize, T>(nodes: Vec<T>, reader: &mut Reader) -> Option<Vec<T>> {
    if nodes.len() > N {
        reader.refuse("too_many", format!("must have at most {N} elements"))
    } else {
        Some(nodes)
    }
}

impl<T: Field, const N: usize> Field for List<T, N> {
    fn read(node: Node, reader: &mut Reader) -> Option<Self> {
        let nodes = bounded::<N, _>(list(node, reader)?, reader)?;
        each(nodes, reader, T::read).map(Self)
    }
}

impl<T: Field + Ord, const N: usize> Field for Set<T, N> {
    fn read(node: Node, reader: &mut Reader) -> Option<Self> {
        let nodes = bounded::<N, _>(list(node, reader)?, reader)?;
        let count = nodes.len();
        let values: BTreeSet<T> = each(nodes, reader, T::read)?.into_iter().collect();
        if values.len() == count {
            Some(Self(values))
        } else {
            reader.refuse("repeated", "must not hold a value twice")
        }
    }
}

/// Names that mean something to JavaScript, should the map ever be merged into an object there.
const POISONED: [&str; 3] = ["__proto__", "constructor", "prototype"];

impl<K: Field + Ord, V: Field, const N: usize> Field for Map<K, V, N> {
    fn read(node: Node, reader: &mut Reader) -> Option<Self> {
        let members = reader.members(node, None)?;
        let members = bounded::<N, _>(members, reader)?;
        let count = members.len();
        let mut entries = BTreeMap::new();
        for (name, node) in members {
            let entry = reader.within(name.clone(), |reader| {
                if POISONED.contains(&&*name) {
                    return reader.refuse("unknown", "is not a name that is taken here");
                }
                Some((
                    K::read(Node::Word(name.into_owned()), reader)?,
                    V::read(node, reader)?,
                ))
            });
            entries.extend(entry);
        }
        (entries.len() == count).then_some(Self(entries))
    }
}

impl<T, const N: usize> Default for List<T, N> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T, const N: usize> Default for Set<T, N> {
    fn default() -> Self {
        Self(BTreeSet::new())
    }
}

impl<K, V, const N: usize> Default for Map<K, V, N> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

macro_rules! holds {
    ($([$($generics:tt)*] $ty:ty => $inner:ty),+) => {
        $(impl<$($generics)*> Deref for $ty {
            type Target = $inner;
            fn deref(&self) -> &$inner {
                &self.0
            }
        }
        impl<$($generics)*> From<$ty> for $inner {
            fn from(value: $ty) -> Self {
                value.0
            }
        })+
    };
}

holds!(
    [T, const N: usize] List<T, N> => Vec<T>,
    [T, const N: usize] Set<T, N> => BTreeSet<T>,
    [K, V, const N: usize] Map<K, V, N> => BTreeMap<K, V>
);

impl<T: Bind, const N: usize> BindList for List<T, N> {
    fn values(&self) -> Vec<Value> {
        self.0.values()
    }
}

impl<T: Bind, const N: usize> BindList for Set<T, N> {
    fn values(&self) -> Vec<Value> {
        self.0.values()
    }
}

macro_rules! stored_as_json {
    ($([$($generics:tt)*] $ty:ty),+) => {
        $(impl<$($generics)*> Column for $ty {
            const KIND: Option<Kind> = Some(Kind::Json);
            fn read(cell: Cell) -> Result<Self, ColumnError> {
                read_json(cell)
            }
        })+
    };
}

stored_as_json!(
    [T: Field, const N: usize] List<T, N>,
    [T: Field + Ord, const N: usize] Set<T, N>,
    [K: Field + Ord, V: Field, const N: usize] Map<K, V, N>
);

/// A member of a `PATCH`: absent, null, or a value; of a bounded type, or of a number with a garde rule (`range`).
///
/// # Example
/// ```
/// use palisade::input::Change;
/// let old = Some(3);
/// assert_eq!(Change::Keep.apply(old), Some(3));
/// assert_eq!(Change::Clear.apply(old), None);
/// assert_eq!(Change::Set(4).apply(old), Some(4));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Default)]
pub enum Change<T> {
    /// It was absent: leave what is there.
    #[default]
    Keep,
    /// It was null: take away what is there.
    Clear,
    /// Put this in its place.
    Set(T),
}

impl<T> Change<T> {
    /// What is there afterwards.
    pub fn apply(self, old: Option<T>) -> Option<T> {
        match self {
            Self::Keep => old,
            Self::Clear => None,
            Self::Set(value) => Some(value),
        }
    }
}

impl<T: Field> Field for Change<T> {
    fn read(node: Node, reader: &mut Reader) -> Option<Self> {
        if node == Node::Null {
            Some(Self::Clear)
        } else {
            T::read(node, reader).map(Self::Set)
        }
    }

    fn absent(_: &mut Reader) -> Option<Self> {
        Some(Self::Keep)
    }
}

impl<T: RawField> RawField for Change<T> {
    fn read_raw(node: Node, reader: &mut Reader) -> Option<Self> {
        if node == Node::Null {
            Some(Self::Clear)
        } else {
            T::read_raw(node, reader).map(Self::Set)
        }
    }

    fn absent_raw(_: &mut Reader) -> Option<Self> {
        Some(Self::Keep)
    }
}

/// Only a value has bounds to keep.
impl<T: Bounds> Bounds for Change<T> {
    type Size = T::Size;

    const MIN: Self::Size = T::MIN;
    const MAX: Self::Size = T::MAX;

    fn validate_bounds(&self, lower: Self::Size, upper: Self::Size) -> Result<(), OutOfBounds> {
        match self {
            Self::Keep | Self::Clear => Ok(()),
            Self::Set(value) => value.validate_bounds(lower, upper),
        }
    }
}
