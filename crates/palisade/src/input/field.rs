//! What one field of an `#[input]` may be.

use super::node::{Name, Node};
use super::reader::Reader;
use crate::db::{Cell, ColumnError};

/// A value that carries its own bounds: the type of an `#[input]` field that needs no rule.
#[diagnostic::on_unimplemented(
    message = "P0302: `{Self}` is not a checked input",
    label = "carries no bounds of its own",
    note = "use a bounded type (`Text<1, 200>`, `Email`, `Slug`, `List<T, 20>`, `Int<1, 500>`, `Timestamp`), `bool`, or another `#[input]` type"
)]
pub trait Field: Sized {
    /// Reads what stands here, or says what is wrong with it.
    fn read(node: Node, reader: &mut Reader) -> Option<Self>;

    /// What it is when nothing stands here; an error unless the type says otherwise.
    fn absent(reader: &mut Reader) -> Option<Self> {
        reader.refuse("required", "is required")
    }
}

/// An `#[input]` type: every member declared, bounded and validated, and no other let in.
///
/// # Security
/// Holds rows B1, B2 and F2 of the checklist: unknown and repeated members are refused, and a member that should be text
/// cannot arrive as an operator object.
#[diagnostic::on_unimplemented(
    message = "P0301: `{Self}` is not an input",
    label = "nothing says what it lets in",
    note = "declare it with `#[input]`, and give each field a bounded type"
)]
pub trait Input: Field + Send + 'static {
    /// The names of its members on the wire.
    const MEMBERS: &'static [&'static str];
}

/// A plain type that a garde rule on the field bounds.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "P0302: `{Self}` is not a checked input",
    label = "cannot be read from a request, with a rule or without",
    note = "use a bounded type (`Text<1, 200>`, `List<T, 20>`, `Int<1, 500>`), or `String`, a number or a `Vec` of these with a garde rule"
)]
pub trait RawField: Sized {
    fn read_raw(node: Node, reader: &mut Reader) -> Option<Self>;
    fn absent_raw(reader: &mut Reader) -> Option<Self> {
        reader.refuse("required", "is required")
    }
}

/// How a field is read; asks for its trait once, at the type's own place.
#[doc(hidden)]
#[derive(Debug)]
pub struct FieldOf<T> {
    read: fn(Node, &mut Reader) -> Option<T>,
    absent: fn(&mut Reader) -> Option<T>,
}

#[doc(hidden)]
pub const fn field_of<T: Field>() -> FieldOf<T> {
    FieldOf {
        read: T::read,
        absent: T::absent,
    }
}

#[doc(hidden)]
pub const fn raw_field_of<T: RawField>() -> FieldOf<T> {
    FieldOf {
        read: T::read_raw,
        absent: T::absent_raw,
    }
}

impl<T> FieldOf<T> {
    /// Takes the member of this name out of `members` and reads it.
    pub fn take(
        &self,
        name: &'static str,
        members: &mut Vec<(Name, Node)>,
        reader: &mut Reader,
    ) -> Option<T> {
        let found = members.iter().position(|(member, _)| member == name);
        let node = found.map(|at| members.swap_remove(at).1);
        reader.within(name, |reader| match node {
            Some(node) => (self.read)(node, reader),
            None => (self.absent)(reader),
        })
    }
}

/// Reads what was stored as JSON; members that the type no longer has are passed over.
#[doc(hidden)]
pub fn read_json<T: Field>(cell: Cell) -> Result<T, ColumnError> {
    let node = match cell {
        Cell::Text(json) => super::node::parse(json.as_bytes(), &[]).ok(),
        _ => None,
    };
    node.and_then(|node| T::read(node, &mut Reader::default()))
        .ok_or(ColumnError {
            expected: "JSON of this type",
        })
}

/// Reads what was stored as the name of a choice.
#[doc(hidden)]
pub fn read_name<T: Field>(cell: Cell) -> Result<T, ColumnError> {
    let name = match cell {
        Cell::Text(name) => T::read(Node::Text(name), &mut Reader::default()),
        _ => None,
    };
    name.ok_or(ColumnError {
        expected: "the name of a choice",
    })
}

pub(super) fn text(node: Node, reader: &mut Reader) -> Option<String> {
    match node {
        Node::Text(text) | Node::Word(text) => Some(text),
        Node::Words(_) => repeated(reader),
        _ => reader.refuse("type", "must be text"),
    }
}

fn repeated<T>(reader: &mut Reader) -> Option<T> {
    reader.refuse("repeated", "stands here twice")
}

pub(super) fn integer<T: TryFrom<i64> + TryFrom<u64>>(
    node: Node,
    reader: &mut Reader,
) -> Option<T> {
    let number = match node {
        Node::Int(number) => T::try_from(number).ok(),
        Node::Uint(number) => T::try_from(number).ok(),
        // One spelling a number: no sign, blank or leading zero.
        Node::Word(word) => match word.parse::<i64>() {
            Ok(number) if itoa::Buffer::new().format(number) == word => T::try_from(number).ok(),
            _ => return reader.refuse("type", "must be an integer"),
        },
        Node::Words(_) => return repeated(reader),
        _ => return reader.refuse("type", "must be an integer"),
    };
    number.or_else(|| reader.refuse("range", "is out of range"))
}

fn float(node: Node, reader: &mut Reader) -> Option<f64> {
    let number = match node {
        Node::Int(number) => number as f64,
        Node::Uint(number) => number as f64,
        Node::Float(number) => number,
        Node::Word(word) => match word.parse() {
            Ok(number) => number,
            Err(_) => return reader.refuse("type", "must be a number"),
        },
        Node::Words(_) => return repeated(reader),
        _ => return reader.refuse("type", "must be a number"),
    };
    if number.is_finite() {
        Some(number)
    } else {
        reader.refuse("range", "is out of range")
    }
}

pub(super) fn list(node: Node, reader: &mut Reader) -> Option<Vec<Node>> {
    match node {
        Node::List(nodes) => Some(nodes),
        Node::Word(word) => Some(vec![Node::Word(word)]),
        Node::Words(words) => Some(words.into_iter().map(Node::Word).collect()),
        _ => reader.refuse("type", "must be a list"),
    }
}

impl Field for bool {
    fn read(node: Node, reader: &mut Reader) -> Option<Self> {
        match node {
            Node::Bool(value) => Some(value),
            Node::Word(word) if word == "true" => Some(true),
            Node::Word(word) if word == "false" => Some(false),
            Node::Words(_) => repeated(reader),
            _ => reader.refuse("type", "must be true or false"),
        }
    }
}

impl<T: Field> Field for Option<T> {
    fn read(node: Node, reader: &mut Reader) -> Option<Self> {
        if node == Node::Null {
            Some(None)
        } else {
            T::read(node, reader).map(Some)
        }
    }

    fn absent(_: &mut Reader) -> Option<Self> {
        Some(None)
    }
}

impl<T: Field> Field for Box<T> {
    fn read(node: Node, reader: &mut Reader) -> Option<Self> {
        T::read(node, reader).map(Box::new)
    }
}

macro_rules! raw_integers {
    ($($ty:ty),+) => {
        $(impl RawField for $ty {
            fn read_raw(node: Node, reader: &mut Reader) -> Option<Self> {
                integer(node, reader)
            }
        })+
    };
}

raw_integers!(i8, i16, i32, i64, u8, u16, u32, u64);

impl RawField for f64 {
    fn read_raw(node: Node, reader: &mut Reader) -> Option<Self> {
        float(node, reader)
    }
}

impl RawField for f32 {
    fn read_raw(node: Node, reader: &mut Reader) -> Option<Self> {
        float(node, reader).map(|number| number as f32)
    }
}

impl RawField for String {
    fn read_raw(node: Node, reader: &mut Reader) -> Option<Self> {
        text(node, reader)
    }
}

impl<T: RawField> RawField for Option<T> {
    fn read_raw(node: Node, reader: &mut Reader) -> Option<Self> {
        if node == Node::Null {
            Some(None)
        } else {
            T::read_raw(node, reader).map(Some)
        }
    }

    fn absent_raw(_: &mut Reader) -> Option<Self> {
        Some(None)
    }
}

impl<T: RawField> RawField for Vec<T> {
    fn read_raw(node: Node, reader: &mut Reader) -> Option<Self> {
        each(list(node, reader)?, reader, T::read_raw)
    }
}

/// Reads every element, also after one was wrong, so that all errors are told.
pub(super) fn each<T>(
    nodes: Vec<Node>,
    reader: &mut Reader,
    read: fn(Node, &mut Reader) -> Option<T>,
) -> Option<Vec<T>> {
    let count = nodes.len();
    let read_one = |(at, node): (usize, Node)| reader.within(at, |reader| read(node, reader));
    let values: Vec<T> = nodes.into_iter().enumerate().filter_map(read_one).collect();
    (values.len() == count).then_some(values)
}
