//! The arguments that carry input: `Json`, `Query`, `Path`, pages, databases and services.

use std::any::TypeId;
use std::collections::BTreeMap;
use std::ops::Deref;

use http::{HeaderMap, header};

use super::body;
use super::field::{Field, Input};
use super::node::{self, Node};
use super::reader::Reader;
use super::{Argument, Incoming, ServiceType};
use crate::db::{Db, PageRequest, ReadDb};
use crate::error::{Error, Result};

/// A JSON body: of an `#[input]` type on the way in, of an `#[output]` type on the way out.
///
/// # Errors
/// 400 when the body is not JSON, 413 when it is larger than the route takes, 415 when its content type is not JSON,
/// 422 with every broken rule when it is not what the type says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Json<T>(pub T);

impl<T: Input> Argument for Json<T> {
    const BODY: bool = true;

    async fn take(incoming: &mut Incoming) -> Result<Self> {
        check_content_type(&incoming.parts().headers)?;
        let body = incoming.take_body().ok_or_else(Error::internal)?;
        let bytes = body::collect(body, incoming.terms(), incoming.context()).await?;
        if bytes.is_empty() {
            return Err(Error::bad_request("the body is empty"));
        }
        from_json(&bytes).map(Self)
    }
}

/// An input in JSON, wherever it came from.
pub(crate) fn from_json<T: Input>(bytes: &[u8]) -> Result<T> {
    let mut reader = Reader::default();
    let value = T::read(node::parse(bytes, T::MEMBERS)?, &mut reader);
    reader.finish(value)
}

fn check_content_type(headers: &HeaderMap) -> Result<()> {
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let one = match (values.next(), values.next()) {
        (Some(value), None) => value,
        _ => return Err(no_json()),
    };
    let json = one == "application/json" || one.to_str().is_ok_and(is_json);
    if json && !headers.contains_key(header::CONTENT_ENCODING) {
        Ok(())
    } else {
        Err(no_json())
    }
}

fn is_json(content_type: &str) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
    let json = essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"));
    let utf8 = |part: &str| {
        part.eq_ignore_ascii_case("charset=utf-8") || part.eq_ignore_ascii_case("charset=\"utf-8\"")
    };
    json && parts.all(utf8)
}

fn no_json() -> Error {
    Error::unsupported_media_type("send JSON, as content-type: application/json")
}

/// The query string, as an `#[input]` type.
///
/// # Errors
/// 422 for a key that no argument reads, a repeated key that is not a list, and every broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query<T>(pub T);

impl<T: Input> Argument for Query<T> {
    const QUERY: &'static [&'static str] = T::MEMBERS;

    async fn take(incoming: &mut Incoming) -> Result<Self> {
        let mut reader = Reader::default();
        let value = T::read(query(incoming, T::MEMBERS, &mut reader), &mut reader);
        reader.finish(value).map(Self)
    }
}

/// The members of the query that are ours; keys that no argument reads are refused.
fn query(incoming: &Incoming, ours: &[&str], reader: &mut Reader) -> Node {
    let text = incoming.parts().uri.query().unwrap_or_default();
    let mut keys: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (key, value) in url::form_urlencoded::parse(text.as_bytes()) {
        keys.entry(key.into_owned())
            .or_default()
            .push(value.into_owned());
    }
    let mut members = Vec::new();
    for (key, mut values) in keys {
        let is_ours = ours.contains(&key.as_str());
        if !is_ours
            && !incoming
                .terms()
                .query_keys
                .iter()
                .any(|keys| keys.contains(&key.as_str()))
        {
            reader.within(key, |reader| {
                reader.refuse::<()>("unknown", "is not known here")
            });
        } else if is_ours {
            let node = if values.len() > 1 {
                Node::Words(values)
            } else {
                Node::Word(values.remove(0))
            };
            members.push((key.into(), node));
        }
    }
    Node::Object(members)
}

impl Argument for PageRequest {
    const QUERY: &'static [&'static str] = &["after", "limit"];

    async fn take(incoming: &mut Incoming) -> Result<Self> {
        let mut reader = Reader::default();
        let node = query(incoming, Self::QUERY, &mut reader);
        let mut members = reader.members(node, None).unwrap_or_default();
        let mut read = |name, reader: &mut Reader| {
            let at = members.iter().position(|(member, _)| member == name)?;
            Some((members.swap_remove(at).1, name)).filter(|_| reader.is_clean())
        };
        let after = read("after", &mut reader);
        let limit = read("limit", &mut reader);
        let after = after.map(|(node, name)| {
            reader.within(name, |reader| {
                super::Text::<1, { Self::MAX_CURSOR }>::read(node, reader)
            })
        });
        let limit = limit.map(|(node, name)| {
            reader.within(name, |reader| {
                super::Int::<1, { Self::MAX_LIMIT as i64 }>::read(node, reader)
            })
        });
        let after = after.flatten().map(super::Text::into_string);
        let limit = limit
            .flatten()
            .map_or(Self::DEFAULT_LIMIT, |limit| limit.get() as u16);
        reader.finish(Some(Self::new(after, limit)))
    }
}

/// A parameter of the path: `Path(slug): Path<Slug>` reads `{slug}`.
///
/// # Errors
/// 404 when what stands there is not a `T`: such a thing does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path<T>(pub T);

impl<T: Field + Send + 'static> Argument for Path<T> {
    const NAMED: bool = true;

    async fn take(incoming: &mut Incoming) -> Result<Self> {
        path(incoming)
    }

    fn take_now(incoming: &mut Incoming) -> Option<Result<Self>> {
        Some(path(incoming))
    }
}

fn path<T: Field>(incoming: &Incoming) -> Result<Path<T>> {
    let word = incoming
        .param(incoming.name())
        .ok_or_else(Error::internal)?;
    let mut reader = Reader::default();
    let value = T::read(Node::Word(word.to_owned()), &mut reader).filter(|_| reader.is_clean());
    value.map(Path).ok_or_else(Error::not_found)
}

impl Argument for Db {
    const WRITES: bool = true;

    async fn take(incoming: &mut Incoming) -> Result<Self> {
        incoming.own()
    }

    fn take_now(incoming: &mut Incoming) -> Option<Result<Self>> {
        Some(incoming.own())
    }
}

impl Argument for ReadDb {
    async fn take(incoming: &mut Incoming) -> Result<Self> {
        incoming.own::<Db>().map(|db| db.reader())
    }

    fn take_now(incoming: &mut Incoming) -> Option<Result<Self>> {
        Some(incoming.own::<Db>().map(|db| db.reader()))
    }
}

/// A service that the app provided: `.provide(mailer)` and `mailer: Service<Mailer>`.
///
/// An app whose handler wants a service that nobody provided does not start.
#[derive(Debug, Clone)]
pub struct Service<T>(T);

impl<T: Clone + Send + Sync + 'static> Argument for Service<T> {
    const SERVICE: Option<ServiceType> = Some(ServiceType {
        id: TypeId::of::<T>,
        name: std::any::type_name::<T>,
    });

    async fn take(incoming: &mut Incoming) -> Result<Self> {
        incoming.service().map(Self)
    }

    fn take_now(incoming: &mut Incoming) -> Option<Result<Self>> {
        Some(incoming.service().map(Self))
    }
}

impl<T> Deref for Service<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}
