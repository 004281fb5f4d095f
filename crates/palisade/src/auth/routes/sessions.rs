//! Where an account is signed in: its browsers and its programs in one list.

use time::OffsetDateTime;

use crate::access::{Fresh, Id, Ref, SignedIn};
use crate::auth::session::Current;
use crate::auth::{Accounts, Session};
use crate::db::ReadDb;
use crate::error::{Error, Result};
use crate::input::{Argument, Incoming, Json, Path, Timestamp};
use crate::output::NoContent;
use palisade_macros::{delete, get, output, row, sql};

/// The sign-ins of an account, the one that was used last first; 100 of each kind at most.
#[output]
pub(crate) struct SignIns {
    sessions: Vec<SignInView>,
}

/// One sign-in. A browser's is used when it asks for something (to the minute), a program's when it refreshes its tokens.
#[output]
pub(crate) struct SignInView {
    id: Id<Session>,
    kind: &'static str,
    device: String,
    created_at: Timestamp,
    used_at: Timestamp,
    expires_at: Timestamp,
    current: bool,
}

#[row]
struct Kept {
    id: Id<Session>,
    device: String,
    created_at: Timestamp,
    used_at: Timestamp,
    expires_at: Timestamp,
}

/// Which sign-ins are not over: those that were used after this.
pub(super) struct Alive {
    now: OffsetDateTime,
    sessions: OffsetDateTime,
    families: OffsetDateTime,
}

impl Argument for Alive {
    async fn take(incoming: &mut Incoming) -> Result<Self> {
        let accounts: Accounts = incoming.own()?;
        let now = OffsetDateTime::now_utc();
        Ok(Self {
            now,
            sessions: now - accounts.sessions.idle(),
            families: now - accounts.refresh.idle(),
        })
    }
}

#[get("/auth/sessions", limit = "auth")]
pub(super) async fn list(
    user: SignedIn,
    current: Current,
    alive: Alive,
    db: ReadDb,
) -> Result<Json<SignIns>> {
    let sessions = sql!(
        Kept,
        "select id, device, created_at, used_at, expires_at from palisade_sessions
         where account_id = {user.id} and expires_at > {alive.now} and used_at > {alive.sessions}
         order by used_at desc limit 100"
    );
    let families = sql!(
        Kept,
        "select id, device, created_at, rotated_at as used_at, expires_at from palisade_token_families
         where account_id = {user.id} and expires_at > {alive.now} and rotated_at > {alive.families}
         order by rotated_at desc limit 100"
    );
    let view = |kind| {
        move |kept: Kept| SignInView {
            current: kept.id.uuid() == current.id(),
            id: kept.id,
            kind,
            device: kept.device,
            created_at: kept.created_at,
            used_at: kept.used_at,
            expires_at: kept.expires_at,
        }
    };
    let sessions = sessions.at_most(100, &db).await?.into_iter();
    let families = families.at_most(100, &db).await?.into_iter();
    let mut sessions: Vec<_> = sessions
        .map(view("session"))
        .chain(families.map(view("tokens")))
        .collect();
    sessions.sort_by_key(|one| std::cmp::Reverse(one.used_at));
    Ok(Json(SignIns { sessions }))
}

#[delete("/auth/sessions/{session}", limit = "auth")]
pub(super) async fn end_one(
    user: Fresh,
    accounts: Accounts,
    Path(session): Path<Ref<Session>>,
) -> Result<NoContent> {
    match accounts.end_sign_in(user.id, session.claimed()).await? {
        true => Ok(NoContent),
        false => Err(Error::not_found()),
    }
}

#[delete("/auth/sessions", limit = "auth")]
pub(super) async fn end_others(
    user: Fresh,
    accounts: Accounts,
    current: Current,
) -> Result<NoContent> {
    accounts.sign_out_elsewhere(user.id, Some(current)).await?;
    Ok(NoContent)
}
