//! Where an account is signed in: its browsers and its programs in one list.

use crate::access::{Fresh, Id, Ref, SignedIn};
use crate::auth::session::Current;
use crate::auth::{Accounts, Session};
use crate::db::ReadDb;
use crate::error::{Error, Result};
use crate::input::{Json, Path, Timestamp};
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

#[get("/auth/sessions")]
pub(super) async fn list(user: SignedIn, current: Current, db: ReadDb) -> Result<Json<SignIns>> {
    let sessions = sql!(
        Kept,
        "select id, device, created_at, used_at, expires_at from palisade_sessions
         where account_id = {user.id} order by used_at desc limit 100"
    );
    let families = sql!(
        Kept,
        "select id, device, created_at, rotated_at as used_at, expires_at from palisade_token_families
         where account_id = {user.id} order by rotated_at desc limit 100"
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

#[delete("/auth/sessions/{session}")]
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

#[delete("/auth/sessions")]
pub(super) async fn end_others(
    user: Fresh,
    accounts: Accounts,
    current: Current,
) -> Result<NoContent> {
    accounts.sign_out_elsewhere(user.id, Some(current)).await?;
    Ok(NoContent)
}
