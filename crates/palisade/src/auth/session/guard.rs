//! Callers who are browsers, and by which sign-in a caller calls.

use std::ops::Deref;

use super::Seen;
use crate::access::{Account, Actor, Guard, Id, SignedIn};
use crate::auth::Accounts;
use crate::auth::jwt::Checked;
use crate::error::{Error, Result};
use crate::input::{Argument, Incoming};

/// A caller who is signed in by a session: a person at a browser.
///
/// [`SignedIn`] and [`Can`](crate::access::Can) take sessions too, beside access tokens; this guard takes nothing else. What an app wants to
/// keep for a session goes into a table of its own, with [`session`](Self::session) as its key and `references palisade_sessions (id) on
/// delete cascade`: typed as every row is, and gone with the session.
///
/// # Errors
/// 401 without a session cookie, with one whose session has ended, and with an access token; 400 with both.
///
/// # Security
/// The cookie reaches this host alone, over TLS, and no script reads it; an unsafe request that comes from another site is refused before
/// the session is looked up. The id in [`session`](Self::session) is the session's name, not what the cookie holds: it opens nothing.
///
/// # Example
/// ```
/// # use palisade::prelude::*;
/// # use palisade::auth::Session;
/// #[output]
/// struct Basket { items: u32 }
///
/// #[get("/basket")]
/// async fn basket(user: Session, db: ReadDb) -> Result<Json<Basket>> {
///     let items: i64 = sql!("select count(*) from basket_items where session_id = {user.session()}").one(&db).await?;
///     Ok(Json(Basket { items: items as u32 }))
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Session {
    /// The caller's account.
    pub id: Id<Account>,
    user: SignedIn,
    session: Id<Self>,
}

impl Session {
    /// The session; it stays the same while its owner proves themselves anew.
    pub fn session(&self) -> Id<Self> {
        self.session
    }
}

impl Deref for Session {
    type Target = Actor;
    fn deref(&self) -> &Actor {
        &self.user
    }
}

impl Argument for Session {
    async fn take(incoming: &mut Incoming) -> Result<Self> {
        let user = SignedIn::take(incoming).await?;
        match Current::take(incoming).await? {
            Current::Session(seen) if user.is(seen.account) => Ok(Self {
                id: user.id,
                user,
                session: seen.id,
            }),
            _ => Err(Error::unauthorized()),
        }
    }
}

impl Guard for Session {}

/// The sign-in that a request calls by.
#[derive(Debug, Clone, Copy)]
pub(in crate::auth) enum Current {
    Tokens(Checked),
    Session(Seen),
}

impl Argument for Current {
    async fn take(incoming: &mut Incoming) -> Result<Self> {
        let accounts: Accounts = incoming.own()?;
        let current = accounts.current(incoming.parts()).await?;
        current.ok_or_else(Error::unauthorized)
    }
}

impl Current {
    /// Its name in lists.
    pub(in crate::auth) fn id(&self) -> uuid::Uuid {
        match self {
            Self::Tokens(checked) => checked.family.uuid(),
            Self::Session(seen) => seen.id.uuid(),
        }
    }
}
