//! Guards: the first argument of every handler, which says who may call it.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use http::StatusCode;

use super::actor::{Account, Actor, Authenticator};
use super::fresh::Fresh;
use super::id::{Id, parse};
use super::permission::{Permission, permission_type};
use super::policy::{Action, Permit, Read};
use crate::db::{Bind, Resource, Value, load};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::input::{Argument, Incoming, PermissionType};
use crate::store::LimitKey;

/// Who may call a handler.
#[diagnostic::on_unimplemented(
    message = "P0201: `{Self}` does not say who may call this handler",
    label = "not a guard",
    note = "make the first argument `_: Public`, `user: SignedIn`, `Can<Action, T>`, or `Can<P>` of what `permissions!` declares; there is no default"
)]
pub trait Guard: Argument {}

/// Anybody may call it.
#[derive(Debug, Clone, Copy)]
pub struct Public(());

impl Public {
    pub(crate) fn new() -> Self {
        Self(())
    }
}

impl Argument for Public {
    const PUBLIC: bool = true;

    async fn take(incoming: &mut Incoming) -> Result<Self> {
        let client = LimitKey::client(incoming.context().client());
        incoming.count(client).await?;
        Ok(Self::new())
    }

    fn take_now(incoming: &mut Incoming) -> Option<Result<Self>> {
        let uncounted = incoming.terms().limit.is_none();
        uncounted.then(|| Ok(Self::new()))
    }
}

impl Guard for Public {}

/// A caller with a valid credential.
///
/// # Errors
/// 401 without one.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The caller's account.
    pub id: Id<Account>,
    actor: Actor,
}

impl SignedIn {
    pub(crate) fn new(actor: Actor) -> Self {
        Self {
            id: actor.id(),
            actor,
        }
    }
}

impl Deref for SignedIn {
    type Target = Actor;
    fn deref(&self) -> &Actor {
        &self.actor
    }
}

impl Argument for SignedIn {
    async fn take(incoming: &mut Incoming) -> Result<Self> {
        actor(incoming).await.map(Self::new)
    }
}

impl Guard for SignedIn {}

/// The actor that a guard of another kind proved in this request, such as the owner of an API key; `Can` asks its policies about it.
#[derive(Clone)]
pub(crate) struct Proved(pub(crate) Actor);

/// Who was proved already, else the caller by the credential of an account.
async fn proved_or(incoming: &mut Incoming) -> Result<(Actor, bool)> {
    if let Some(Proved(actor)) = incoming.parts().extensions.get() {
        return Ok((actor.clone(), true));
    }
    actor(incoming).await.map(|actor| (actor, false))
}

/// The caller, counted under the route's own limit: by account, or by client where no account is proved, so that guessing
/// credentials is limited too.
pub(super) async fn actor(incoming: &mut Incoming) -> Result<Actor> {
    let authenticator: Arc<dyn Authenticator> = incoming.own()?;
    match authenticator.authenticate(incoming.parts()).await {
        Ok(Some(actor)) => {
            let id = actor.id().uuid();
            // A guard and an argument behind it count one request once.
            if incoming.context().account() != Some(id) {
                incoming.context().set_account(id);
                incoming.count(LimitKey::Account(id)).await?;
            }
            Ok(actor)
        }
        refused => {
            let client = LimitKey::client(incoming.context().client());
            incoming.count(client).await?;
            Err(refused.err().unwrap_or_else(|| {
                let route = incoming.context().route().unwrap_or_default();
                Event::CredentialMissing { route }.emit();
                Error::unauthorized()
            }))
        }
    }
}

/// Stands where no one object is meant: `Can<ManageAccounts>`.
#[derive(Debug, Clone, Copy)]
pub struct Everywhere;

/// The proof that the caller may do `A`: to the loaded object in it, or everywhere for a [`Permission`].
///
/// After an [`ApiClient`](crate::auth::ApiClient) it asks about the owner of the key: what the owner may not do, no key of his may.
///
/// # Errors
/// 401 without a credential. 404 when the object is not there or the caller may not read it, so that its existence does
/// not leak; 403 when it may be read but not `A`. For a permission of a role that requires a second factor: 403
/// `second-factor-enrolment-required` when the account has none, 401 `reauthentication-required` when it was not given.
///
/// # Security
/// Only the guard makes one, after the policy said yes in this request; so a function that takes `Can<Edit, Note>` cannot
/// be called by code that was not allowed to edit that note.
pub struct Can<A, T = Everywhere> {
    object: T,
    actor: Actor,
    action: PhantomData<fn() -> A>,
}

impl<A, T> Can<A, T> {
    pub(crate) fn new(object: T, actor: Actor) -> Self {
        Self {
            object,
            actor,
            action: PhantomData,
        }
    }

    /// Who may.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// The object, without the proof.
    pub fn into_inner(self) -> T {
        self.object
    }
}

impl<A, T> Deref for Can<A, T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.object
    }
}

impl<A, T: fmt::Debug> fmt::Debug for Can<A, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Can").field(&self.object).finish()
    }
}

impl<A: Action, T: Permit<A> + Permit<Read>> Argument for Can<A, T> {
    const PARAMS: &'static [&'static str] = &[T::NAME];

    async fn take(incoming: &mut Incoming) -> Result<Self> {
        let (actor, _) = proved_or(incoming).await?;
        let id = incoming
            .param(T::NAME)
            .and_then(parse)
            .ok_or_else(Error::not_found)?;
        let db = incoming.own::<crate::db::Db>()?.reader();
        let object = load::<T>(&db, id).await?.ok_or_else(Error::not_found)?;
        if !Permit::<Read>::permits(&object, &actor, &db).await? {
            denied::<A, T>(&actor);
            return Err(Error::not_found());
        }
        if !Permit::<A>::permits(&object, &actor, &db).await? {
            denied::<A, T>(&actor);
            return Err(Error::forbidden());
        }
        Ok(Self::new(object, actor))
    }
}

impl<A: Action, T: Permit<A> + Permit<Read>> Guard for Can<A, T> {}

impl<P: Permission> Argument for Can<P> {
    const PERMISSION: Option<PermissionType> = Some(permission_type::<P>());

    async fn take(incoming: &mut Incoming) -> Result<Self> {
        let (mut actor, proved) = proved_or(incoming).await?;
        if !actor.may::<P>() && !proved {
            let authenticator: Arc<dyn Authenticator> = incoming.own()?;
            let anew = authenticator.authenticate_anew(incoming.parts()).await?;
            actor = anew.ok_or_else(Error::unauthorized)?;
        }
        if !actor.may::<P>() {
            return Err(match actor.is_withheld::<P>() {
                true => step_up(&actor),
                false => {
                    denied::<P, Everywhere>(&actor);
                    Error::forbidden()
                }
            });
        }
        Ok(Self::new(Everywhere, actor))
    }
}

impl<P: Permission> Guard for Can<P> {}

/// Where a second factor is enrolled.
const ENROLL: &str = "/auth/totp";

/// What a caller does to get what his roles give with a second factor alone: enroll one, or give it.
fn step_up(actor: &Actor) -> Error {
    let account = actor.id().uuid();
    if actor.has_second_factor() {
        Event::ReauthenticationRequired { account }.emit();
        return <Fresh>::challenge();
    }
    Event::EnrolmentRequired { account }.emit();
    Error::new(
        StatusCode::FORBIDDEN,
        "second-factor-enrolment-required",
        "Set up a second factor first",
    )
    .with_detail("this is for accounts with a second factor: enroll one at the path in `enroll`")
    .with_member("enroll", ENROLL)
}

fn denied<A, T>(actor: &Actor) {
    let last = |name: &'static str| name.rsplit("::").next().unwrap_or(name);
    let (action, resource) = (
        last(std::any::type_name::<A>()),
        last(std::any::type_name::<T>()),
    );
    Event::Denied {
        account: Some(actor.id().uuid()),
        action,
        resource,
    }
    .emit();
}

/// Binds as the id of the object that the proof is about.
impl<A, T: Resource> Bind for Can<A, T> {
    const NULL: Value = Value::Uuid(None);
    fn value(&self) -> Value {
        Value::Uuid(Some(self.object.key()))
    }
}
