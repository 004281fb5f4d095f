//! What is let in: the request as typed, bounded, validated values.

mod body;
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
pub(crate) use extract::from_json;
pub use extract::{Json, Path, Query, Service};
pub use field::{Field, Input};
#[doc(hidden)]
pub use field::{FieldOf, RawField, field_of, raw_field_of, read_json, read_name};
#[doc(hidden)]
pub use node::Node;
pub use password::Password;
#[doc(hidden)]
pub use password::{Alike, Kept};
#[doc(hidden)]
pub use reader::Reader;
pub use rich_text::RichText;
pub use rules::broken;
#[doc(hidden)]
pub use rules::check_rules;
pub use scalar::{Date, Int, Timestamp, Url};
pub use text::{Broken, Email, Slug, Text};

use std::any::{Any, TypeId};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::RawPathParams;
use bytes::Bytes;
use http::request::Parts;

use crate::error::{Error, Result};
use crate::event::{Counted, Event, RequestContext};
use crate::store::{Limit, LimitKey};

/// One request on its way to a handler; only the framework can look inside.
pub struct Incoming {
    parts: Parts,
    body: Option<Body>,
    params: Option<RawPathParams>,
    name: &'static str,
    context: Arc<RequestContext>,
    terms: Arc<Terms>,
}

/// What holds for every request of one route.
pub(crate) struct Terms {
    /// The query keys that the handler's arguments read, one list an argument.
    pub(crate) query_keys: &'static [&'static [&'static str]],
    /// Bytes of a body at most.
    pub(crate) body_limit: usize,
    /// How long a body may take to arrive.
    pub(crate) body_timeout: Duration,
    /// Bytes of a body that must arrive each second, after the first five.
    pub(crate) body_rate: u64,
    /// The route's own limit, and its name.
    pub(crate) limit: Option<(&'static str, Arc<dyn Limit>)>,
    pub(crate) services: Arc<Services>,
}

/// What the app provides to its handlers, by type.
///
/// They are few: looking at each costs less than hashing a type.
#[derive(Default)]
pub struct Services(Vec<(TypeId, Arc<dyn Any + Send + Sync>)>);

/// A value of the framework itself: no app can name this type, so `Service<Db>` finds nothing, and what writes is taken only as what it is.
#[derive(Clone)]
struct Own<T>(T);

impl Services {
    /// Adds a value of the framework itself, for [`Incoming::own`] alone.
    pub(crate) fn insert_own<T: Send + Sync + 'static>(&mut self, value: T) {
        self.insert(Own(value));
    }

    /// Adds or replaces the value of type `T`.
    pub fn insert<T: Send + Sync + 'static>(&mut self, value: T) {
        let id = TypeId::of::<T>();
        self.0.retain(|(own, _)| *own != id);
        self.0.push((id, Arc::new(value)));
    }

    /// The value of type `T`, when it was provided.
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<&T> {
        let id = TypeId::of::<T>();
        let found = self.0.iter().find(|(own, _)| *own == id);
        found?.1.downcast_ref()
    }

    /// Whether a value of this type was provided.
    pub fn has(&self, id: TypeId) -> bool {
        self.0.iter().any(|(own, _)| *own == id)
    }
}

impl Incoming {
    pub(crate) fn new(
        parts: Parts,
        body: Body,
        params: Option<RawPathParams>,
        context: Arc<RequestContext>,
        terms: Arc<Terms>,
    ) -> Self {
        Self {
            parts,
            body: Some(body),
            params,
            name: "",
            context,
            terms,
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

    pub(crate) fn parts_mut(&mut self) -> &mut Parts {
        &mut self.parts
    }

    pub(crate) fn terms(&self) -> &Terms {
        &self.terms
    }

    pub(crate) fn context(&self) -> &Arc<RequestContext> {
        &self.context
    }

    pub(crate) fn take_body(&mut self) -> Option<Body> {
        self.body.take()
    }

    /// Reads the body now, and leaves it there for whoever takes it.
    ///
    /// # Errors
    /// As when it is taken.
    pub(crate) async fn hold_body(&mut self) -> Result<Bytes> {
        let body = self.body.take().unwrap_or_default();
        let bytes = body::collect(body, &self.terms, &self.context).await?;
        self.body = Some(Body::from(bytes.clone()));
        Ok(bytes)
    }

    /// A parameter of the path, percent-decoded.
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        let mut params = self.params.iter().flatten();
        params.find_map(|(key, value)| (key == name).then_some(value))
    }

    /// A service that start-up proved to be there.
    pub(crate) fn service<T: Clone + Send + Sync + 'static>(&self) -> Result<T> {
        self.terms
            .services
            .get::<T>()
            .cloned()
            .ok_or_else(Error::internal)
    }

    /// A value of the framework itself.
    pub(crate) fn own<T: Clone + Send + Sync + 'static>(&self) -> Result<T> {
        self.service::<Own<T>>().map(|own| own.0)
    }

    /// Counts by client what nothing has counted so far: a guard of the app's own knows of no limit.
    pub(crate) async fn count_once(&mut self) -> Result<()> {
        if self.context.counted().is_some() {
            return Ok(());
        }
        let client = LimitKey::client(self.context.client());
        self.count(client).await
    }

    /// Counts this request under the route's own limit, if it has one.
    ///
    /// # Errors
    /// 429 when that is one too many.
    pub(crate) async fn count(&mut self, key: LimitKey) -> Result<()> {
        let Some((name, limit)) = &self.terms.limit else {
            return Ok(());
        };
        let decision = limit.check(key).decision().await;
        self.context.set_counted(Counted {
            remaining: decision.remaining,
            reset: decision.reset,
        });
        match decision.wait {
            None => Ok(()),
            Some(wait) => {
                Event::RateLimited { limit: name }.emit();
                let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
                Err(Error::too_many_requests(
                    u32::try_from(seconds).unwrap_or(u32::MAX),
                ))
            }
        }
    }
}

/// A permission that an argument asks for: its name, and its type for a refusal.
#[derive(Debug, Clone, Copy)]
pub struct PermissionType {
    pub(crate) name: &'static str,
    pub(crate) ty: fn() -> &'static str,
}

/// The scope that an API key needs for an argument, and the permission that its owner needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScopeInfo {
    /// Its name in tables, logs and answers.
    pub name: &'static str,
    /// The permission that the key's owner must have.
    pub permission: Option<&'static str>,
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
    /// Whether it is the guard that lets anybody in.
    const PUBLIC: bool = false;
    /// The path parameters that it reads by a name of its own.
    const PARAMS: &'static [&'static str] = &[];
    /// Whether it reads the path parameter that is named like the handler's argument.
    const NAMED: bool = false;
    /// The keys of the query string that it reads.
    const QUERY: &'static [&'static str] = &[];
    /// The service that it needs.
    const SERVICE: Option<ServiceType> = None;
    /// The permission that the caller needs.
    const PERMISSION: Option<PermissionType> = None;
    /// The scope of an API key that it asks for.
    const SCOPE: Option<ScopeInfo> = None;

    /// Takes it from the request.
    fn take(incoming: &mut Incoming) -> impl Future<Output = Result<Self>> + Send;

    /// The same where there is nothing to wait for, and so no future to be kept; `None` where there may be.
    #[doc(hidden)]
    fn take_now(_: &mut Incoming) -> Option<Result<Self>> {
        None
    }
}
