//! What is let in: the request as typed, bounded, validated values.

mod collection;
mod extract;
mod field;
mod node;
mod password;
mod reader;
mod rich_text;
mod rules;
mod scalar;
mod text;

pub use collection::{Change, List, Map, Set};
pub use extract::{Json, Path, Query, Service};
pub use field::{Field, Input};
#[doc(hidden)]
pub use field::{FieldOf, RawField, field_of, raw_field_of, read_json, read_name};
#[doc(hidden)]
pub use node::Node;
pub use password::Password;
#[doc(hidden)]
pub use reader::Reader;
pub use rich_text::RichText;
pub use rules::broken;
#[doc(hidden)]
pub use rules::check_rules;
pub use scalar::{Date, Int, Timestamp, Url};
pub use text::{Broken, Email, Slug, Text};

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use axum::body::Body;
use http::request::Parts;

use crate::error::{Error, Result};

/// One request on its way to a handler; only the framework can look inside.
pub struct Incoming {
    parts: Parts,
    body: Option<Body>,
    params: Vec<(String, String)>,
    name: &'static str,
    query_keys: &'static [&'static [&'static str]],
    body_limit: usize,
    services: Arc<Services>,
}

/// The id of one request: 128 bits, time first, in the answer, the log and every problem.
#[derive(Debug, Clone)]
pub struct RequestId(Arc<str>);

impl RequestId {
    pub(crate) fn new() -> Self {
        Self(uuid::Uuid::now_v7().simple().to_string().into())
    }

    /// The id as text: 32 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What the app provides to its handlers, by type.
#[derive(Default)]
pub struct Services(HashMap<TypeId, Arc<dyn Any + Send + Sync>>);

impl Services {
    /// Adds or replaces the value of type `T`.
    pub fn insert<T: Send + Sync + 'static>(&mut self, value: T) {
        self.0.insert(TypeId::of::<T>(), Arc::new(value));
    }

    /// The value of type `T`, when it was provided.
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.0.get(&TypeId::of::<T>())?.downcast_ref()
    }

    /// Whether a value of this type was provided.
    pub fn has(&self, id: TypeId) -> bool {
        self.0.contains_key(&id)
    }
}

impl Incoming {
    pub(crate) fn new(
        parts: Parts,
        body: Body,
        params: Vec<(String, String)>,
        query_keys: &'static [&'static [&'static str]],
        body_limit: usize,
        services: Arc<Services>,
    ) -> Self {
        Self {
            parts,
            body: Some(body),
            params,
            name: "",
            query_keys,
            body_limit,
            services,
        }
    }

    /// Names the handler's argument that is taken next, as written in its pattern.
    pub(crate) fn named(&mut self, name: &'static str) {
        self.name = name;
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn parts(&self) -> &Parts {
        &self.parts
    }

    /// The query keys that the handler's arguments read, one list an argument.
    pub(crate) fn query_keys(&self) -> &'static [&'static [&'static str]] {
        self.query_keys
    }

    pub(crate) fn body_limit(&self) -> usize {
        self.body_limit
    }

    /// The request's id, for events.
    pub(crate) fn request_id(&self) -> &str {
        self.parts
            .extensions
            .get::<RequestId>()
            .map_or("", RequestId::as_str)
    }

    pub(crate) fn take_body(&mut self) -> Option<Body> {
        self.body.take()
    }

    /// A parameter of the path, percent-decoded.
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.params
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// A service that start-up proved to be there.
    pub(crate) fn service<T: Clone + Send + Sync + 'static>(&self) -> Result<T> {
        self.services
            .get::<T>()
            .cloned()
            .ok_or_else(Error::internal)
    }
}

/// The type of a service, and its name for a refusal.
#[derive(Debug, Clone, Copy)]
pub struct ServiceType {
    pub(crate) id: fn() -> TypeId,
    pub(crate) name: fn() -> &'static str,
}

/// Something that a handler can take from a request.
#[diagnostic::on_unimplemented(
    message = "P0102: `{Self}` cannot be a handler's argument",
    label = "not a checked input",
    note = "take `Json<T>`, `Query<T>` or `Path<T>` of an `#[input]` type, `Db`, `ReadDb`, `Service<T>`, or a guard"
)]
pub trait Argument: Sized + Send + 'static {
    /// Whether it reads the request's body; a handler has one such argument at most.
    const BODY: bool = false;
    /// Whether it can write to the database; a `GET` handler has no such argument.
    const WRITES: bool = false;
    /// The path parameters that it reads by a name of its own.
    const PARAMS: &'static [&'static str] = &[];
    /// Whether it reads the path parameter that is named like the handler's argument.
    const NAMED: bool = false;
    /// The keys of the query string that it reads.
    const QUERY: &'static [&'static str] = &[];
    /// The service that it needs.
    const SERVICE: Option<ServiceType> = None;

    /// Takes it from the request.
    fn take(incoming: &mut Incoming) -> impl Future<Output = Result<Self>> + Send;
}
