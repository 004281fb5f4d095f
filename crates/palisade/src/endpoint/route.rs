//! A route: what `#[get]` and its like make of a function.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use axum::body::Body;
use http::Response;

use crate::access::Guard;
use crate::error::{Error, Result};
use crate::input::{Argument, Incoming, PermissionType, ScopeInfo, ServiceType};
use crate::output::Reply;

/// What a handler gives, on its way.
type Answer = Pin<Box<dyn Future<Output = Result<Response<Body>>> + Send>>;

/// One route of an app: everything that is known of it before it runs.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: &'static str,
    /// The path, with its parameters in braces.
    pub path: &'static str,
    /// The handler's name.
    pub name: &'static str,
    /// The module that it stands in.
    pub module: &'static str,
    /// The file that it stands in.
    pub file: &'static str,
    /// The line that it stands at.
    pub line: u32,
    /// Its arguments; the first is the guard.
    pub arguments: &'static [ArgumentInfo],
    /// Its own rate limit: a rate such as `30/min`, or the name of a class.
    pub limit: Option<&'static str>,
    /// Its own time for the handler.
    pub timeout: Option<Duration>,
    /// Its own limit of the body, in bytes.
    pub body_limit: Option<u64>,
    /// Whether it is done once for each `Idempotency-Key`.
    pub idempotent: bool,
    #[doc(hidden)]
    pub query_keys: &'static [&'static [&'static str]],
    #[doc(hidden)]
    pub call: fn(Incoming) -> Answer,
}

impl Route {
    /// Stands in for a route whose macro reported an error.
    #[doc(hidden)]
    pub const BROKEN: Self = Self {
        method: "GET",
        path: "/",
        name: "",
        module: "",
        file: "",
        line: 0,
        arguments: &[],
        limit: None,
        timeout: None,
        body_limit: None,
        idempotent: false,
        query_keys: &[],
        call: |_| Box::pin(async { Err(Error::internal()) }),
    };

    /// Whether anybody may call it.
    pub fn is_public(&self) -> bool {
        self.arguments
            .first()
            .is_some_and(|argument| argument.public)
    }

    /// Who may call it, as the handler's author wrote it.
    pub fn guard(&self) -> &'static str {
        self.arguments.first().map_or("", |argument| argument.ty)
    }
}

/// A handler that stands under `#[get]`, `#[post]`, `#[put]`, `#[patch]` or `#[delete]`.
#[diagnostic::on_unimplemented(
    message = "P0106: `{Self}` is not a handler",
    label = "has no route",
    note = "put `#[get(\"/path\")]`, or another method, above the function"
)]
pub trait Endpoint {
    /// Its route.
    const ROUTE: Route;
}

/// The routes that `routes![…]` lists.
#[derive(Debug, Clone, Default)]
pub struct Routes(Vec<Route>);

impl From<Vec<Route>> for Routes {
    fn from(routes: Vec<Route>) -> Self {
        Self(routes)
    }
}

impl IntoIterator for Routes {
    type Item = Route;
    type IntoIter = std::vec::IntoIter<Route>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// What is known of one argument before it is taken.
#[derive(Debug, Clone, Copy)]
pub struct ArgumentInfo {
    /// The type, as its author wrote it.
    pub ty: &'static str,
    /// Whether it reads the body.
    pub body: bool,
    /// Whether it can write to the database.
    pub writes: bool,
    /// Whether it is the guard that lets anybody in.
    pub public: bool,
    /// The path parameters that it reads by a name of its own.
    pub params: &'static [&'static str],
    /// The path parameter that it reads by the argument's name.
    pub named: Option<&'static str>,
    /// The query keys that it reads.
    pub query: &'static [&'static str],
    /// The service that it needs.
    pub service: Option<ServiceType>,
    /// The permission that the caller needs.
    pub permission: Option<PermissionType>,
    /// The scope of an API key that it asks for.
    pub scope: Option<ScopeInfo>,
}

/// An argument, at hand or on its way.
enum Taken<'a, T> {
    Now(Result<T>),
    Later(Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>),
}

/// How an argument is taken; asks for its trait once, at the type's own place.
#[doc(hidden)]
#[derive(Debug)]
pub struct ArgumentOf<T> {
    pub info: ArgumentInfo,
    take: for<'a> fn(&'a mut Incoming) -> Taken<'a, T>,
}

#[doc(hidden)]
pub const fn argument_of<T: Argument>(name: &'static str, ty: &'static str) -> ArgumentOf<T> {
    let info = ArgumentInfo {
        ty,
        body: T::BODY,
        writes: T::WRITES,
        public: T::PUBLIC,
        params: T::PARAMS,
        named: if T::NAMED { Some(name) } else { None },
        query: T::QUERY,
        service: T::SERVICE,
        permission: T::PERMISSION,
        scope: T::SCOPE,
    };
    ArgumentOf {
        info,
        take: |incoming| match T::take_now(incoming) {
            Some(taken) => Taken::Now(taken),
            None => Taken::Later(Box::pin(T::take(incoming))),
        },
    }
}

#[doc(hidden)]
pub const fn guard_of<T: Guard>(name: &'static str, ty: &'static str) -> ArgumentOf<T> {
    argument_of(name, ty)
}

#[doc(hidden)]
pub async fn take<T>(
    argument: &ArgumentOf<T>,
    name: &'static str,
    incoming: &mut Incoming,
) -> Result<T> {
    incoming.named(name);
    match (argument.take)(incoming) {
        Taken::Now(taken) => taken,
        Taken::Later(taken) => taken.await,
    }
}

/// Takes the guard; what it did not count itself is counted by client.
#[doc(hidden)]
pub async fn take_guard<T>(
    argument: &ArgumentOf<T>,
    name: &'static str,
    incoming: &mut Incoming,
) -> Result<T> {
    let guard = take(argument, name, incoming).await?;
    incoming.count_once().await?;
    Ok(guard)
}

#[doc(hidden)]
pub fn reply<T: Reply, E: Into<Error>>(outcome: Result<T, E>) -> Result<Response<Body>> {
    outcome.map_err(Into::into)?.reply()
}

#[doc(hidden)]
pub fn route_of<T: Endpoint>() -> Route {
    T::ROUTE
}

/// Refuses, while compiling, a second argument that reads the body.
#[doc(hidden)]
pub const fn check_bodies(arguments: &[ArgumentInfo]) {
    let mut count = 0;
    let mut at = 0;
    while at < arguments.len() {
        count += arguments[at].body as usize;
        at += 1;
    }
    assert!(
        count <= 1,
        "P0103: two arguments read the body, which can be read once: put both into one `#[input]` type"
    );
}

/// Refuses, while compiling, a path and arguments that do not speak of the same parameters.
#[doc(hidden)]
pub const fn check_params(path: &[&str], arguments: &[ArgumentInfo]) {
    let mut at = 0;
    while at < arguments.len() {
        let argument = &arguments[at];
        let mut param = 0;
        while param < argument.params.len() {
            assert!(
                has(path, argument.params[param]),
                "P0105: an argument reads a parameter that the path does not have: `Can<Action, Note>` reads `{{note}}`"
            );
            param += 1;
        }
        if let Some(name) = argument.named {
            assert!(
                has(path, name),
                "P0105: an argument reads a parameter that the path does not have: `Path(slug): Path<Slug>` reads `{{slug}}`"
            );
        }
        at += 1;
    }
    let mut param = 0;
    while param < path.len() {
        assert!(
            is_read(path[param], arguments),
            "P0107: no argument reads a `{{parameter}}` of this path: take it as `Can<Action, T>` or `Path<T>`, or take it out of the path"
        );
        param += 1;
    }
}

const fn is_read(name: &str, arguments: &[ArgumentInfo]) -> bool {
    let mut at = 0;
    while at < arguments.len() {
        let named = match arguments[at].named {
            Some(own) => same(own, name),
            None => false,
        };
        if named || has(arguments[at].params, name) {
            return true;
        }
        at += 1;
    }
    false
}

const fn has(names: &[&str], name: &str) -> bool {
    let mut at = 0;
    while at < names.len() {
        if same(names[at], name) {
            return true;
        }
        at += 1;
    }
    false
}

const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut at = 0;
    while at < a.len() {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    true
}
