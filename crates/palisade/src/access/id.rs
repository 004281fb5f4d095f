//! Ids: trusted ones, and ones that a client claimed.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use uuid::Uuid;

use super::actor::Account;
use crate::db::{Bind, Cell, Column, ColumnError, Kind, OwnerOf, OwnerProbe, Value, scalars};
use crate::input::{Field, Node, Reader};
use crate::output::OutputField;

/// The id of a `T`, from a row or freshly made: a UUIDv7 (RFC 9562), which sorts by the time of its making.
///
/// # Security
/// It cannot be read from a request; what a client sends is a [`Ref<T>`].
pub struct Id<T: ?Sized>(Uuid, PhantomData<fn() -> T>);

/// The id of a `T` that a client claimed: good for asking a policy, and for nothing else.
///
/// # Security
/// It is not bindable in a statement. As the path parameter of a [`Can<Action, T>`](super::Can) it becomes a proof.
pub struct Ref<T: ?Sized>(Uuid, PhantomData<fn() -> T>);

impl<T> Id<T> {
    /// A fresh id.
    #[expect(
        clippy::new_without_default,
        reason = "each is another one; a default would look like a constant"
    )]
    pub fn new() -> Self {
        Self(Uuid::now_v7(), PhantomData)
    }

    #[doc(hidden)]
    pub fn uuid(&self) -> Uuid {
        self.0
    }

    pub(crate) fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid, PhantomData)
    }
}

impl<T> Ref<T> {
    /// What it claims, for a statement that names the owner beside it.
    pub(crate) fn claimed(&self) -> Uuid {
        self.0
    }

    /// Whether it claims this id; tells nothing else.
    pub fn claims(&self, id: Id<T>) -> bool {
        self.0 == id.0
    }

    /// The id as a trusted one, for code of the framework that has asked who may.
    pub(crate) fn allowed(self) -> Id<T> {
        Id::from_uuid(self.0)
    }
}

macro_rules! plain_traits {
    ($($ty:ident),+) => {
        $(impl<T: ?Sized> Clone for $ty<T> {
            fn clone(&self) -> Self {
                *self
            }
        }
        impl<T: ?Sized> Copy for $ty<T> {}
        impl<T: ?Sized> PartialEq for $ty<T> {
            fn eq(&self, other: &Self) -> bool {
                self.0 == other.0
            }
        }
        impl<T: ?Sized> Eq for $ty<T> {}
        impl<T: ?Sized> PartialOrd for $ty<T> {
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }
        impl<T: ?Sized> Ord for $ty<T> {
            fn cmp(&self, other: &Self) -> std::cmp::Ordering {
                self.0.cmp(&other.0)
            }
        }
        impl<T: ?Sized> Hash for $ty<T> {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.0.hash(state);
            }
        }
        impl<T: ?Sized> fmt::Display for $ty<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
        impl<T: ?Sized> fmt::Debug for $ty<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        })+
    };
}

plain_traits!(Id, Ref);

impl<T> Bind for Id<T> {
    const NULL: Value = Value::Uuid(None);
    fn value(&self) -> Value {
        Value::Uuid(Some(self.0))
    }
}

impl<T> Column for Id<T> {
    const KIND: Option<Kind> = Some(Kind::Uuid);
    fn read(cell: Cell) -> Result<Self, ColumnError> {
        Uuid::read(cell).map(Self::from_uuid)
    }
}

impl OwnerOf for Id<Account> {}

#[doc(hidden)]
#[allow(missing_docs)]
impl OwnerProbe<Id<Account>> {
    pub const IS_ACCOUNT: bool = true;
}

#[doc(hidden)]
#[allow(missing_docs)]
impl OwnerProbe<Option<Id<Account>>> {
    pub const IS_ACCOUNT: bool = true;
}

scalars!([T: 'static] Id<T>);

impl<T> OutputField for Id<T> {
    fn show<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<T> Field for Ref<T> {
    fn read(node: Node, reader: &mut Reader) -> Option<Self> {
        let uuid = match node {
            Node::Text(text) | Node::Word(text) => parse(&text),
            _ => None,
        };
        uuid.map(|uuid| Self(uuid, PhantomData))
            .or_else(|| reader.refuse("id", "must be an id"))
    }
}

/// The hyphenated form in lower case and no other: one id has one spelling.
pub(super) fn parse(text: &str) -> Option<Uuid> {
    Uuid::try_parse(text)
        .ok()
        .filter(|uuid| uuid.hyphenated().to_string() == text)
}
