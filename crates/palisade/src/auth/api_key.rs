//! API clients: programs that prove themselves by a key in a header.
//!
//! Follows RFC 6750 (bearer tokens: in the header alone, `insufficient_scope`), OWASP ASVS 5.0, sections 9 and 13, and the format of keys that
//! secret scanners find.

mod live;
mod network;
mod recent;
mod store;
mod text;

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use http::{HeaderValue, header};

use crate::access::{Account, Actor, Guard, Id, Proved, Scope};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::input::{Argument, Incoming, ScopeInfo};
use crate::store::LimitKey;

pub(super) use network::Network;
pub(crate) use store::unknown_scopes;
pub use store::{ApiKey, ApiKeys};
pub(super) use store::{MOST_NETWORKS, MOST_SCOPES, NewKey, ScopeName};
pub(super) use text::{KeyText, beginning};

/// A program that presented a live API key with the scope `S`, as `Authorization: Bearer pak_…`.
///
/// The request counts under the route's own limit by key. A later argument `Can<Action, T>` asks its policy about the key's owner.
///
/// # Errors
/// 401 when the key is absent, unknown, wrong, expired, revoked, or comes from an address that it is not for: one answer for all of them.
/// 403 with `insufficient_scope` when it lacks the scope, or its owner the scope's permission. 400 for a key in the query string.
///
/// # Security
/// [`Argument::take`] is the only constructor, so an `ApiClient` in hand proves that a key was checked in this request. It speaks for its
/// owner and may never do more than he may: read and write what is the owner's, or take a `Can<Action, T>` as well. An access token is no
/// key, and a key opens no route of `SignedIn`. There is no client without a scope: a key made for one thing is not good for another.
///
/// # Example
/// ```
/// # use palisade::prelude::*;
/// struct ReadNotes;
/// impl Scope for ReadNotes {
///     const NAME: &'static str = "notes.read";
/// }
///
/// #[output]
/// struct Count { notes: i64 }
///
/// #[get("/notes/count")]
/// async fn count(client: ApiClient<ReadNotes>, db: ReadDb) -> Result<Json<Count>> {
///     let notes = sql!("select count(*) from notes where owner_id = {client.owner}").one(&db).await?;
///     Ok(Json(Count { notes }))
/// }
/// ```
pub struct ApiClient<S = NoScope> {
    /// The key that was presented.
    pub key: Id<ApiKey>,
    /// The account that it belongs to.
    pub owner: Id<Account>,
    actor: Actor,
    scope: PhantomData<fn() -> S>,
}

/// Stands where an `ApiClient` names no scope, and is none: it does not compile.
#[derive(Debug, Clone, Copy)]
pub struct NoScope;

impl<S> ApiClient<S> {
    pub(crate) fn new(key: Id<ApiKey>, actor: Actor) -> Self {
        Self {
            key,
            owner: actor.id(),
            actor,
            scope: PhantomData,
        }
    }
}

impl<S> Deref for ApiClient<S> {
    type Target = Actor;
    fn deref(&self) -> &Actor {
        &self.actor
    }
}

impl<S> Clone for ApiClient<S> {
    fn clone(&self) -> Self {
        Self::new(self.key, self.actor.clone())
    }
}

impl<S> fmt::Debug for ApiClient<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiClient")
            .field("key", &self.key)
            .field("owner", &self.owner)
            .finish_non_exhaustive()
    }
}

impl<S: Scope> Argument for ApiClient<S> {
    const SCOPE: Option<ScopeInfo> = Some(scope_of::<S>());

    async fn take(incoming: &mut Incoming) -> Result<Self> {
        let keys: ApiKeys = incoming.own()?;
        let client = incoming.context().client();
        let live = match keys.authenticate(incoming.parts(), client).await {
            Ok(live) => live,
            Err(error) => {
                // Guessing is limited too.
                incoming.count(LimitKey::client(client)).await?;
                return Err(error);
            }
        };
        incoming.context().set_account(live.owner().uuid());
        incoming.context().set_api_key(live.id().uuid());
        incoming.count(LimitKey::ApiKey(live.id().uuid())).await?;
        let scope = scope_of::<S>();
        if !live.may(scope) {
            return Err(insufficient(scope, &live.actor()));
        }
        incoming.parts_mut().extensions.insert(Proved(live.actor()));
        Ok(Self::new(live.id(), live.actor()))
    }
}

impl<S: Scope> Guard for ApiClient<S> {}

const fn scope_of<S: Scope>() -> ScopeInfo {
    assert!(
        is_name(S::NAME.as_bytes()),
        "P0903: the name of a scope is 1 to 64 of `a-z`, `0-9`, `.`, `:`, `_` and `-`, such as `notes.read`"
    );
    ScopeInfo {
        name: S::NAME,
        permission: S::PERMISSION,
    }
}

/// A scope token of RFC 6749, section 3.3, in a smaller alphabet: it stands in headers and logs as it is.
const fn is_name(name: &[u8]) -> bool {
    let mut at = 0;
    while at < name.len() {
        if !matches!(name[at], b'a'..=b'z' | b'0'..=b'9' | b'.' | b':' | b'_' | b'-') {
            return false;
        }
        at += 1;
    }
    !name.is_empty() && name.len() <= 64
}

/// 403 as RFC 6750, section 3.1, says it.
fn insufficient(scope: ScopeInfo, owner: &Actor) -> Error {
    Event::Denied {
        account: Some(owner.id().uuid()),
        action: scope.name,
        resource: "ApiClient",
    }
    .emit();
    let challenge = format!(
        "Bearer error=\"insufficient_scope\", scope=\"{}\"",
        scope.name
    );
    let error = Error::forbidden().with_detail("the key does not have the scope that this needs");
    match HeaderValue::from_str(&challenge) {
        Ok(value) => error.with_header(header::WWW_AUTHENTICATE, value),
        Err(_) => error,
    }
}
