//! An account's keys for its programs.

use std::time::Duration;

use crate::access::{Actor, Can, Delete, Edit, Fresh, Id, Permit, Read, SignedIn};
use crate::auth::api_key::{
    ApiKey, ApiKeys, KeyText, MOST_NETWORKS, MOST_SCOPES, Network, NewKey, ScopeName, beginning,
};
use crate::db::ReadDb;
use crate::error::{Error, Result, Violation};
use crate::input::{Int, Json, Set, Text, Timestamp};
use crate::output::{Created, NoContent};
use palisade_macros::{delete, get, input, output, post};

const DAY: u64 = 86_400;

/// What a key is asked for with.
#[input]
pub(crate) struct Asked {
    /// By which its owner knows it again.
    name: Text<1, 100>,
    scopes: Set<ScopeName, MOST_SCOPES>,
    /// Where it is good from; anywhere when it is empty.
    #[input(default = Set::default())]
    networks: Set<Network, MOST_NETWORKS>,
    expires_in_days: Option<Int<1, 3650>>,
}

/// What a rotation is asked for with.
#[input]
pub(crate) struct Rotation {
    /// How long the old key stays good.
    overlap_seconds: Option<Int<0, 2_592_000>>,
    expires_in_days: Option<Int<1, 3650>>,
}

/// A key as its owner sees it from then on.
#[output]
pub(crate) struct ApiKeyView {
    id: Id<ApiKey>,
    name: Text<1, 100>,
    begins: String,
    scopes: Set<ScopeName, MOST_SCOPES>,
    networks: Set<Network, MOST_NETWORKS>,
    created_at: Timestamp,
    expires_at: Timestamp,
    last_used_at: Option<Timestamp>,
    old_key_until: Option<Timestamp>,
}

/// A key, this once.
#[output]
pub(crate) struct NewKeyView {
    key: KeyText,
    details: ApiKeyView,
}

/// Every key of an account.
#[output]
pub(crate) struct ApiKeyList {
    items: Vec<ApiKeyView>,
}

impl From<ApiKey> for ApiKeyView {
    fn from(key: ApiKey) -> Self {
        let now = Timestamp::now();
        Self {
            begins: beginning(key.id),
            id: key.id,
            name: key.name,
            scopes: key.scopes,
            networks: key.networks,
            created_at: key.created_at,
            expires_at: key.expires_at,
            last_used_at: key.last_used_at,
            old_key_until: key.previous_until.filter(|until| *until > now),
        }
    }
}

macro_rules! owners_alone {
    ($($action:ty),+) => {
        $(impl Permit<$action> for ApiKey {
            async fn permits(&self, actor: &Actor, _: &ReadDb) -> Result<bool> {
                Ok(actor.is(self.account_id))
            }
        })+
    };
}

owners_alone!(Read, Edit, Delete);

#[post("/auth/api-keys", limit = "30/min")]
pub(super) async fn make(
    user: Fresh,
    keys: ApiKeys,
    Json(asked): Json<Asked>,
) -> Result<Created<NewKeyView>> {
    let mut violations = Vec::new();
    if asked.scopes.is_empty() {
        violations.push(broken("/scopes", "too_few", "must name at least one scope"));
    }
    if !asked.scopes.iter().all(|name| keys.may_give(&user, name)) {
        let detail = "must be scopes that this account can give";
        violations.push(broken("/scopes", "not_allowed", detail));
    }
    let lifetime = lifetime(&keys, asked.expires_in_days, &mut violations);
    if !violations.is_empty() {
        return Err(Error::invalid(violations));
    }
    let new = NewKey {
        name: asked.name,
        scopes: asked.scopes,
        networks: asked.networks,
        lifetime,
    };
    let (made, key) = keys.make(user.id, &new).await?;
    let details = made.into();
    Ok(Created(NewKeyView { key, details }))
}

#[get("/auth/api-keys", limit = "auth")]
pub(super) async fn list(user: SignedIn, db: ReadDb) -> Result<Json<ApiKeyList>> {
    let keys = ApiKeys::of(user.id, &db).await?;
    let items = keys.into_iter().map(ApiKeyView::from).collect();
    Ok(Json(ApiKeyList { items }))
}

#[post("/auth/api-keys/{api_key}/rotate", limit = "30/min")]
pub(super) async fn rotate(
    key: Can<Edit, ApiKey>,
    _: Fresh,
    keys: ApiKeys,
    Json(asked): Json<Rotation>,
) -> Result<Json<NewKeyView>> {
    let mut violations = Vec::new();
    let lifetime = lifetime(&keys, asked.expires_in_days, &mut violations);
    let overlap = asked.overlap_seconds.map(|seconds| seconds.get() as u64);
    let overlap = keys.overlap(overlap.map(Duration::from_secs));
    if overlap.is_none() {
        let detail = "must not be longer than this service lets an old key be good";
        violations.push(broken("/overlap_seconds", "range", detail));
    }
    if !violations.is_empty() {
        return Err(Error::invalid(violations));
    }
    let overlap = overlap.unwrap_or_default();
    let (rotated, key) = keys.rotate(&key, lifetime, overlap).await?;
    let details = rotated.into();
    Ok(Json(NewKeyView { key, details }))
}

#[delete("/auth/api-keys/{api_key}", limit = "auth")]
pub(super) async fn revoke(key: Can<Delete, ApiKey>, keys: ApiKeys) -> Result<NoContent> {
    keys.revoke(&key).await?;
    Ok(NoContent)
}

fn lifetime(
    keys: &ApiKeys,
    days: Option<Int<1, 3650>>,
    violations: &mut Vec<Violation>,
) -> Duration {
    let asked = days.map(|days| Duration::from_secs(days.get() as u64 * DAY));
    keys.lifetime(asked).unwrap_or_else(|| {
        let detail = "must not be longer than this service lets a key live";
        violations.push(broken("/expires_in_days", "range", detail));
        Duration::ZERO
    })
}

fn broken(pointer: &str, code: &'static str, detail: &'static str) -> Violation {
    Violation {
        pointer: pointer.to_owned(),
        code: code.into(),
        detail: detail.into(),
    }
}
