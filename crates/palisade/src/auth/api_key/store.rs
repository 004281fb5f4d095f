//! API keys as they are kept: made, found, rotated, ended.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;

use super::network::Network;
use super::recent::Recent;
use super::text::KeyText;
use crate::access::{Account, Actor, Id, Role};
use crate::config::AuthConfig;
use crate::db::{Db, ReadDb};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::input::{Argument, Incoming, ScopeInfo, Set, Text, Timestamp};
use palisade_macros::{resource, row, sql};

/// Keys that one account can have at a time.
pub(in crate::auth) const MOST_KEYS: u16 = 100;
pub(in crate::auth) const MOST_SCOPES: usize = 32;
pub(in crate::auth) const MOST_NETWORKS: usize = 32;
/// Sets of scopes that a start looks at.
const MOST_KINDS: u32 = 100_000;

pub(in crate::auth) type ScopeName = Text<1, 64>;
pub(super) type Scopes = Set<ScopeName, MOST_SCOPES>;
pub(super) type KeyNetworks = Set<Network, MOST_NETWORKS>;

/// An API key of an account: what `Id<ApiKey>` names.
#[resource(table = "palisade_api_keys", owner = "account_id")]
#[derive(Debug)]
pub struct ApiKey {
    pub(in crate::auth) id: Id<ApiKey>,
    pub(in crate::auth) account_id: Id<Account>,
    pub(in crate::auth) name: Text<1, 100>,
    secret_hash: Vec<u8>,
    secret_used: bool,
    previous_hash: Option<Vec<u8>>,
    pub(in crate::auth) previous_until: Option<Timestamp>,
    pub(in crate::auth) scopes: Scopes,
    pub(in crate::auth) networks: KeyNetworks,
    pub(in crate::auth) created_at: Timestamp,
    pub(in crate::auth) expires_at: Timestamp,
    pub(in crate::auth) last_used_at: Option<Timestamp>,
}

/// What a new key is made of.
pub(in crate::auth) struct NewKey {
    pub(in crate::auth) name: Text<1, 100>,
    pub(in crate::auth) scopes: Scopes,
    pub(in crate::auth) networks: KeyNetworks,
    pub(in crate::auth) lifetime: Duration,
}

/// Makes API keys, knows them again, and ends them.
///
/// # Security
/// The database holds a SHA-256 of each key, which is right for 256 random bits: nobody guesses them from their hash. Hashes are compared
/// in constant time. A key that was revoked here ends at once, in other processes within `auth.recheck_after`.
#[derive(Debug, Clone)]
pub struct ApiKeys {
    pub(super) inner: Arc<Inner>,
    scopes: Arc<[ScopeInfo]>,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) roles: Arc<[Role]>,
    pub(super) recent: Recent,
    lifetime: Duration,
    max_lifetime: Duration,
    overlap: Duration,
    pub(super) db: Db,
}

/// Whoever takes it can make and end keys, so it counts as writing.
impl Argument for ApiKeys {
    const WRITES: bool = true;

    async fn take(incoming: &mut Incoming) -> Result<Self> {
        incoming.own()
    }
}

impl ApiKeys {
    pub(in crate::auth) fn new(config: &AuthConfig, roles: Arc<[Role]>, db: Db) -> Self {
        Self {
            inner: Arc::new(Inner {
                roles,
                recent: Recent::new(config.recheck_after),
                lifetime: config.api_key_lifetime.min(config.api_key_max_lifetime),
                max_lifetime: config.api_key_max_lifetime,
                overlap: config.api_key_overlap,
                db,
            }),
            scopes: [].into(),
        }
    }

    /// The same, for an app whose routes ask for these scopes.
    pub(in crate::auth) fn with_scopes(mut self, scopes: &[ScopeInfo]) -> Self {
        self.scopes = scopes.into();
        self
    }

    /// How long a key is good for: as asked, or as the settings say; `None` when that is longer than they allow.
    pub(in crate::auth) fn lifetime(&self, asked: Option<Duration>) -> Option<Duration> {
        let lifetime = asked.unwrap_or(self.inner.lifetime);
        (lifetime <= self.inner.max_lifetime).then_some(lifetime)
    }

    /// How long the old key stays good after a rotation: as asked, and no longer than the settings allow.
    pub(in crate::auth) fn overlap(&self, asked: Option<Duration>) -> Option<Duration> {
        let overlap = asked.unwrap_or(self.inner.overlap);
        (overlap <= self.inner.overlap).then_some(overlap)
    }

    /// Whether this account may give a key this scope: some route asks for it, and the account has its permission.
    pub(in crate::auth) fn may_give(&self, actor: &Actor, name: &str) -> bool {
        let mut named = self.scopes.iter().filter(|scope| scope.name == name);
        named.any(|scope| {
            scope
                .permission
                .is_none_or(|permission| actor.has(permission))
        })
    }

    /// Makes a key.
    ///
    /// # Errors
    /// 409 when the account has as many as it can have; 500 or 503 when the database fails.
    pub(in crate::auth) async fn make(
        &self,
        owner: Id<Account>,
        new: &NewKey,
    ) -> Result<(ApiKey, KeyText)> {
        let id = Id::<ApiKey>::new();
        let key = KeyText::new(id);
        let now = OffsetDateTime::now_utc();
        let tx = self.inner.db.begin().await?;
        // Holds the account, so that many at once are counted one after another.
        let held = sql!("update palisade_accounts set email = email where id = {owner}");
        if held.execute(&tx).await? == 0 {
            return Err(Error::unauthorized());
        }
        let count: i64 = sql!("select count(*) from palisade_api_keys where account_id = {owner}")
            .one(&tx)
            .await?;
        if count >= i64::from(MOST_KEYS) {
            return Err(Error::conflict(
                "this account has as many keys as it can have: revoke one first",
            ));
        }
        let made: ApiKey = sql!(
            "insert into palisade_api_keys (id, account_id, name, secret_hash, scopes, networks, created_at, expires_at)
             values ({id}, {owner}, {new.name}, {key.hash()}, {new.scopes}, {new.networks}, {now}, {now + new.lifetime})
             returning *"
        )
        .one(&tx)
        .await?;
        tx.commit().await?;
        Event::ApiKeyCreated {
            account: owner.uuid(),
            key: id.uuid(),
        }
        .emit();
        Ok((made, key))
    }

    /// Every key of an account, newest first.
    ///
    /// # Errors
    /// 500 or 503 when the database fails.
    pub(in crate::auth) async fn of(owner: Id<Account>, db: &ReadDb) -> Result<Vec<ApiKey>> {
        sql!("select * from palisade_api_keys where account_id = {owner} order by id desc")
            .at_most(MOST_KEYS, db)
            .await
    }

    /// Gives a key another secret; the one in use stays good for `overlap`, and no longer than it was. A secret that nobody has used yet is
    /// not the one in use: an answer that was lost, and asked for once more, ends nothing that works.
    ///
    /// # Errors
    /// 409 when the key was rotated or ended in the meantime; 500 or 503 when the database fails.
    pub(in crate::auth) async fn rotate(
        &self,
        old: &ApiKey,
        lifetime: Duration,
        overlap: Duration,
    ) -> Result<(ApiKey, KeyText)> {
        let key = KeyText::new(old.id);
        let now = OffsetDateTime::now_utc();
        let before = old.previous_hash.as_ref().zip(old.previous_until);
        let (in_use, until) = match before {
            Some((hash, until)) if !old.secret_used && until.get() > now => (hash, until),
            _ => (&old.secret_hash, old.expires_at),
        };
        let until = until.get().min(now + overlap);
        let rotated: Option<ApiKey> = sql!(
            "update palisade_api_keys
             set previous_hash = {in_use}, previous_until = {until}, secret_hash = {key.hash()}, secret_used = {false},
                 expires_at = {now + lifetime}
             where id = {old.id} and account_id = {old.account_id} and secret_hash = {old.secret_hash} returning *"
        )
        .optional(&self.inner.db)
        .await?;
        let rotated = rotated.ok_or_else(|| {
            Error::conflict("the key was rotated or revoked in the meantime: look at it again")
        })?;
        self.inner.recent.forget(|live| live.id() == old.id);
        Event::ApiKeyRotated {
            account: old.account_id.uuid(),
            key: old.id.uuid(),
        }
        .emit();
        Ok((rotated, key))
    }

    /// Ends one key, at once.
    ///
    /// # Errors
    /// 500 or 503 when the database fails; it has not ended then.
    pub(in crate::auth) async fn revoke(&self, key: &ApiKey) -> Result<()> {
        let gone = sql!(
            "delete from palisade_api_keys where id = {key.id} and account_id = {key.account_id}"
        )
        .execute(&self.inner.db)
        .await?;
        self.inner.recent.forget(|live| live.id() == key.id);
        if gone > 0 {
            Event::ApiKeyRevoked {
                account: key.account_id.uuid(),
                key: Some(key.id.uuid()),
            }
            .emit();
        }
        Ok(())
    }

    /// Ends every key of an account, at once.
    ///
    /// # Errors
    /// 500 or 503 when the database fails; none has ended then.
    pub async fn revoke_all(&self, owner: Id<Account>) -> Result<()> {
        let gone = sql!("delete from palisade_api_keys where account_id = {owner}")
            .execute(&self.inner.db)
            .await?;
        self.forget(owner);
        if gone > 0 {
            Event::ApiKeyRevoked {
                account: owner.uuid(),
                key: None,
            }
            .emit();
        }
        Ok(())
    }

    /// Looks the keys of this account up anew at their next request.
    pub(in crate::auth) fn forget(&self, owner: Id<Account>) {
        self.inner.recent.forget(|live| live.owner() == owner);
    }
}

/// Scopes that keys in the database have and no route asks for.
///
/// # Errors
/// When the database does not answer.
pub(crate) async fn unknown_scopes(db: &ReadDb, known: &[ScopeInfo]) -> Result<BTreeSet<String>> {
    let mut unknown = BTreeSet::new();
    let mut kinds =
        sql!(Given, "select distinct scopes from palisade_api_keys").stream(MOST_KINDS, db);
    while let Some(Given { scopes }) = kinds.try_next().await? {
        let names = scopes.iter().map(ScopeName::as_str);
        let strange = names.filter(|name| known.iter().all(|scope| scope.name != *name));
        unknown.extend(strange.map(str::to_owned));
    }
    Ok(unknown)
}

#[row]
struct Given {
    scopes: Scopes,
}
