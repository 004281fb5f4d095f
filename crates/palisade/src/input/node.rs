//! What a client sent, as a small tree: parsed, bounded in depth, not yet trusted.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::error::{Error, Result};

/// Levels of nesting at most.
pub(super) const MAX_DEPTH: usize = 32;

/// One value of the tree.
#[doc(hidden)]
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    /// In the order of the wire; a repeated name stands in it twice.
    Object(Vec<(Name, Node)>),
    /// A value of the query or the path: text that may be a number or a boolean.
    Word(String),
    /// A query key that was repeated.
    Words(Vec<String>),
}

/// The name of a member; one that was expected is not copied.
pub(super) type Name = Cow<'static, str>;

/// Reads one JSON text; `names` are those that are expected in it.
///
/// # Errors
/// 400 when it is not JSON, has trailing bytes, or nests deeper than [`MAX_DEPTH`].
pub(super) fn parse(bytes: &[u8], names: &'static [&'static str]) -> Result<Node> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let node = Seed { depth: 0, names }.deserialize(&mut deserializer);
    node.and_then(|node| deserializer.end().map(|()| node))
        .map_err(|error| {
            let said = error.to_string();
            Error::bad_request(
                if said.starts_with(TOO_DEEP) || said.starts_with("recursion limit") {
                    "the JSON nests too deep"
                } else {
                    "the body is not JSON"
                },
            )
        })
}

const TOO_DEEP: &str = "nested too deep";

#[derive(Clone, Copy)]
struct Seed {
    depth: usize,
    names: &'static [&'static str],
}

impl<'de> DeserializeSeed<'de> for Seed {
    type Value = Node;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Seed {
    fn below<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth == MAX_DEPTH {
            Err(E::custom(TOO_DEEP))
        } else {
            let depth = self.depth + 1;
            Ok(Self { depth, ..self })
        }
    }
}

impl<'de> Visitor<'de> for Seed {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(i64::try_from(value).map_or(Node::Uint(value), Node::Int))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Node, E> {
        Ok(Node::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let below = self.below::<A::Error>()?;
        let mut nodes = Vec::new();
        while let Some(node) = list.next_element_seed(below)? {
            nodes.push(node);
        }
        Ok(Node::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let below = self.below::<A::Error>()?;
        let mut members = Vec::new();
        while let Some(name) = map.next_key_seed(Names(self.names))? {
            members.push((name, map.next_value_seed(below)?));
        }
        Ok(Node::Object(members))
    }
}

struct Names(&'static [&'static str]);

impl<'de> DeserializeSeed<'de> for Names {
    type Value = Name;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Name, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Names {
    type Value = Name;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Name, E> {
        let expected = self.0.iter().find(|expected| **expected == name);
        Ok(expected.map_or_else(|| name.to_owned().into(), |name| (*name).into()))
    }
}
