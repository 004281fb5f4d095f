//! Callers who proved themselves a moment ago.

use std::ops::Deref;
use std::sync::Arc;

use http::{HeaderValue, StatusCode, header};

use super::actor::{Account, Actor, Authenticator};
use super::guard::{Guard, actor};
use super::id::Id;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::input::{Argument, Incoming, Timestamp};

/// Where a caller proves themselves again.
const REAUTHENTICATE: &str = "/auth/reauthenticate";
/// Seconds that the clocks of two instances may differ.
const SKEW: i64 = 60;

/// A caller who proved themselves in the last five minutes, or in as many as are written: `Fresh<15>`.
///
/// As the first argument it is a guard: signed in, and freshly so. Behind another guard it asks for that too, before something that a
/// stolen session must not do: a new password, a new address, an export, a payment.
///
/// # Errors
/// 401 without a credential. 401 `reauthentication-required` when the proof is too old, with the challenge of RFC 9470
/// (`insufficient_user_authentication`, `max_age`): the client asks for the password, sends it to the path in `reauthenticate`, and then
/// the request once more, with the credential that it got there.
///
/// # Security
/// Only a password, and a second factor where the account has one, makes a caller fresh; refreshing a token and using a session do not. Holds
/// ASVS 5.0, sections 7.5.1 and 7.5.3.
///
/// # Example
/// ```
/// # use palisade::prelude::*;
/// #[post("/me/export")]
/// async fn export(user: Fresh) -> Result<NoContent> { Ok(NoContent) }
///
/// #[post("/me/card")]
/// async fn card(user: SignedIn, _: Fresh<15>) -> Result<NoContent> { Ok(NoContent) }
/// ```
#[derive(Debug, Clone)]
pub struct Fresh<const MINUTES: u64 = 5> {
    /// The caller's account.
    pub id: Id<Account>,
    actor: Actor,
}

impl<const MINUTES: u64> Fresh<MINUTES> {
    const SECONDS: i64 = {
        assert!(
            MINUTES >= 1 && MINUTES <= 1440,
            "P0205: `Fresh<MINUTES>` wants 1 to 1440 minutes"
        );
        MINUTES as i64 * 60
    };

    pub(crate) fn new(actor: Actor) -> Self {
        Self {
            id: actor.id(),
            actor,
        }
    }

    fn is_fresh(actor: &Actor) -> bool {
        actor.authenticated_at().is_some_and(|at| {
            let age = (Timestamp::now().get() - at.get()).whole_seconds();
            (-SKEW..Self::SECONDS).contains(&age)
        })
    }

    /// RFC 9470, section 3, and the same for a client that reads documents.
    pub(super) fn challenge() -> Error {
        let seconds = Self::SECONDS;
        let challenge = format!(
            "Bearer error=\"insufficient_user_authentication\", error_description=\"a more recent sign-in is required\", max_age=\"{seconds}\""
        );
        let error = Error::new(
            StatusCode::UNAUTHORIZED,
            "reauthentication-required",
            "Prove yourself again first",
        )
        .with_detail(
            "send the password to the path in `reauthenticate`, then this request once more",
        )
        .with_member("reauthenticate", REAUTHENTICATE)
        .with_member("max_age", seconds);
        match HeaderValue::try_from(challenge) {
            Ok(challenge) => error.with_header(header::WWW_AUTHENTICATE, challenge),
            Err(cause) => cause.into(),
        }
    }
}

impl<const MINUTES: u64> Deref for Fresh<MINUTES> {
    type Target = Actor;
    fn deref(&self) -> &Actor {
        &self.actor
    }
}

impl<const MINUTES: u64> Argument for Fresh<MINUTES> {
    // Read for every route, so that a number out of bounds is found where it is written.
    const PUBLIC: bool = Self::SECONDS == 0;

    async fn take(incoming: &mut Incoming) -> Result<Self> {
        // Counts the request; then the database is asked, since what follows can outlive a sign-in that has ended elsewhere.
        actor(incoming).await?;
        let authenticator: Arc<dyn Authenticator> = incoming.own()?;
        let actor = authenticator.authenticate_anew(incoming.parts()).await?;
        let actor = actor.ok_or_else(Error::unauthorized)?;
        if Self::is_fresh(&actor) {
            return Ok(Self::new(actor));
        }
        Event::ReauthenticationRequired {
            account: actor.id().uuid(),
        }
        .emit();
        Err(Self::challenge())
    }
}

impl<const MINUTES: u64> Guard for Fresh<MINUTES> {}
