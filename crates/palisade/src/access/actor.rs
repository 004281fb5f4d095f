//! Who is calling.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use http::request::Parts;

use super::id::Id;
use super::permission::Permission;
use crate::error::Result;
use crate::input::Timestamp;

/// An account of the app: what `Id<Account>` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account;

/// The caller, as a credential proved it in this request.
#[derive(Debug, Clone)]
pub struct Actor {
    id: Id<Account>,
    permissions: Arc<[&'static str]>,
    authenticated_at: Option<Timestamp>,
    factor: Factor,
}

/// How a sign-in and its account stand to a second factor.
#[derive(Debug, Clone, Default)]
pub(crate) struct Factor {
    /// Whether it was given for this sign-in.
    pub(crate) given: bool,
    /// Whether the account has one.
    pub(crate) set_up: bool,
    /// What the account's roles would allow if it had been given.
    pub(crate) withheld: Arc<[&'static str]>,
}

impl Actor {
    /// One whose credential says nothing of when a person proved themselves; so it is never [`Fresh`](super::Fresh).
    pub(crate) fn new(id: Id<Account>, permissions: Arc<[&'static str]>) -> Self {
        Self {
            id,
            permissions,
            authenticated_at: None,
            factor: Factor::default(),
        }
    }

    /// The same, whose sign-in and account stand so to a second factor.
    pub(crate) fn with_factor(self, factor: Factor) -> Self {
        Self { factor, ..self }
    }

    /// The same, when the person proved themselves at this time.
    pub(crate) fn authenticated(self, at: Timestamp) -> Self {
        Self {
            authenticated_at: Some(at),
            ..self
        }
    }

    /// The account.
    pub fn id(&self) -> Id<Account> {
        self.id
    }

    /// Whether this is that account.
    pub fn is(&self, account: Id<Account>) -> bool {
        self.id == account
    }

    /// When the person last proved themselves by all that the account asks for; a refresh is no proof. `None` for a program, and for a
    /// sign-in without the second factor that the account has.
    pub fn authenticated_at(&self) -> Option<Timestamp> {
        let complete = self.factor.given || !self.factor.set_up;
        self.authenticated_at.filter(|_| complete)
    }

    /// Whether a second factor was given for this sign-in.
    pub fn gave_second_factor(&self) -> bool {
        self.factor.given && self.factor.set_up
    }

    /// Whether the account has a second factor.
    pub(super) fn has_second_factor(&self) -> bool {
        self.factor.set_up
    }

    /// Whether one of the account's roles carries this permission, and for want of a second factor does not give it.
    pub(super) fn is_withheld<P: Permission>(&self) -> bool {
        self.factor.withheld.contains(&P::NAME)
    }

    /// Whether one of the account's roles gives this permission; a role that
    /// [requires a second factor](super::Role::requires_second_factor) gives none to a sign-in without one.
    pub fn may<P: Permission>(&self) -> bool {
        self.has(P::NAME)
    }

    pub(crate) fn has(&self, permission: &str) -> bool {
        self.permissions.contains(&permission)
    }
}

/// What [`Authenticator::authenticate`] gives.
pub type Authenticated<'a> = Pin<Box<dyn Future<Output = Result<Option<Actor>>> + Send + 'a>>;

/// Turns a request's credential into the actor; room `auth` implements it.
pub trait Authenticator: Send + Sync {
    /// The actor, or `None` when the request carries no credential.
    ///
    /// # Errors
    /// 401 when it carries one that is not valid, 503 when that cannot be told now.
    fn authenticate<'a>(&'a self, parts: &'a Parts) -> Authenticated<'a>;

    /// The same, from the database and not from what was found a moment ago: a permission may have been granted since.
    ///
    /// # Errors
    /// As [`authenticate`](Self::authenticate).
    fn authenticate_anew<'a>(&'a self, parts: &'a Parts) -> Authenticated<'a> {
        self.authenticate(parts)
    }
}
