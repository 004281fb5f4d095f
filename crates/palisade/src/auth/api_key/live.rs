//! A key that a request came with: whether it is good, and what it may do.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::StatusCode;
use http::request::Parts;
use time::OffsetDateTime;

use super::network::Network;
use super::store::{ApiKey, ApiKeys, KeyNetworks, Scopes};
use super::text::{self, KeyText};
use crate::access::{Account, Actor, Id, Role};
use crate::auth::shown::{Shown, shown};
use crate::config::Networks;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::input::ScopeInfo;
use crate::secret::compare;
use palisade_macros::{row, sql};

/// How exactly the last use of a key is noted.
const NOTED_EVERY: Duration = Duration::from_secs(60);

/// A key as the database had it, and what its owner may do.
#[derive(Debug)]
pub(super) struct Live {
    id: Id<ApiKey>,
    actor: Actor,
    scopes: Vec<String>,
    /// Where it is good from; anywhere without.
    networks: Option<Networks>,
    hash: Vec<u8>,
    previous: Option<(Vec<u8>, OffsetDateTime)>,
    expires: OffsetDateTime,
    /// Whether its next use is to be noted, and the next one of its current secret.
    due: AtomicBool,
    unused: AtomicBool,
}

#[row]
struct Kept {
    account_id: Id<Account>,
    secret_hash: Vec<u8>,
    secret_used: bool,
    previous_hash: Option<Vec<u8>>,
    previous_until: Option<OffsetDateTime>,
    scopes: Scopes,
    networks: KeyNetworks,
    expires_at: OffsetDateTime,
    last_used_at: Option<OffsetDateTime>,
    role: Option<String>,
}

impl ApiKeys {
    /// The live key of this request.
    pub(super) async fn authenticate(&self, parts: &Parts, client: IpAddr) -> Result<Arc<Live>> {
        if let Some(text) = text::in_query(parts.uri.query()) {
            return Err(self.leaked(&text).await);
        }
        let Shown::Token(presented) = shown(parts)? else {
            return Err(Error::unauthorized());
        };
        let Some(key) = KeyText::parse(presented) else {
            return Err(refused(None, "malformed"));
        };
        let hash = key.hash();
        let (live, wrong) = self.find(&key, &hash).await?;
        let Some(live) = live else {
            return Err(refused(None, "unknown"));
        };
        let wrong = wrong.or_else(|| {
            let networks = live.networks.as_ref();
            let foreign = networks.is_some_and(|networks| !networks.contain(client));
            foreign.then_some("address")
        });
        match wrong {
            Some(reason) => Err(refused(Some(&live), reason)),
            None => {
                self.note(&live, hash);
                Ok(live)
            }
        }
    }

    /// A key in a URL is refused and told of, and not ended: where it is used in earnest, one careless call would take a service down.
    async fn leaked(&self, text: &str) -> Error {
        let good = match KeyText::parse(text) {
            Some(key) => self.find(&key, &key.hash()).await.ok(),
            None => None,
        };
        let live = match good {
            Some((Some(live), None)) => Some(live),
            _ => None,
        };
        Event::ApiKeyInQuery {
            account: live.as_ref().map(|live| live.owner().uuid()),
            key: live.as_ref().map(|live| live.id.uuid()),
        }
        .emit();
        Error::new(
            StatusCode::BAD_REQUEST,
            "api-key-in-query",
            "An API key does not belong into a URL",
        )
        .with_detail(
            "URLs are logged: rotate this key, and send the new one as `Authorization: Bearer`",
        )
    }

    /// Notes the use of a key, once a minute at most, beside the request.
    fn note(&self, live: &Live, hash: [u8; 32]) {
        let is_first = live.unused.load(Ordering::Relaxed)
            && compare::equal(hash, &live.hash)
            && live.unused.swap(false, Ordering::Relaxed);
        let is_due = live.due.load(Ordering::Relaxed) && live.due.swap(false, Ordering::Relaxed);
        if !is_first && !is_due {
            return;
        }
        let (db, id) = (self.inner.db.clone(), live.id);
        tokio::spawn(async move {
            let now = OffsetDateTime::now_utc();
            let noted = sql!(
                "update palisade_api_keys set last_used_at = {now}, secret_used = (secret_used or secret_hash = {hash}) where id = {id}"
            );
            if let Err(error) = noted.execute(&db).await {
                tracing::warn!(?error, "the last use of an API key could not be noted");
            }
        });
    }

    /// The key of this id, when there is one, and what is wrong with its secret.
    async fn find(
        &self,
        key: &KeyText,
        hash: &[u8; 32],
    ) -> Result<(Option<Arc<Live>>, Option<&'static str>)> {
        if let Some(live) = self.inner.recent.find(key.id().uuid())
            // Another instance may have rotated it since.
            && live.wrong(hash).is_none()
        {
            return Ok((Some(live), None));
        }
        let Some(live) = self.load(key.id()).await? else {
            return Ok((None, None));
        };
        let wrong = live.wrong(hash);
        Ok((Some(live), wrong))
    }

    async fn load(&self, id: Id<ApiKey>) -> Result<Option<Arc<Live>>> {
        let generation = self.inner.recent.generation();
        let rows = sql!(
            Kept,
            "select k.account_id, k.secret_hash, k.secret_used, k.previous_hash, k.previous_until, k.scopes, k.networks, k.expires_at,
                    k.last_used_at, r.role as role
             from palisade_api_keys k join palisade_accounts a on a.id = k.account_id
             left join palisade_account_roles r on r.account_id = a.id
             where k.id = {id} and a.disabled_at is null"
        )
        .at_most(64, &self.inner.db.reader())
        .await?;
        let permissions = self.permissions(rows.iter().filter_map(|row| row.role.as_deref()));
        let Some(kept) = rows.into_iter().next() else {
            return Ok(None);
        };
        let now = OffsetDateTime::now_utc();
        let noted = kept
            .last_used_at
            .is_some_and(|last| now < last + NOTED_EVERY);
        let live = Arc::new(Live {
            id,
            actor: Actor::new(kept.account_id, permissions),
            scopes: Vec::from_iter(kept.scopes.iter().map(|scope| scope.as_str().to_owned())),
            networks: (!kept.networks.is_empty()).then(|| Network::list(kept.networks.iter())),
            hash: kept.secret_hash,
            previous: kept.previous_hash.zip(kept.previous_until),
            expires: kept.expires_at,
            due: AtomicBool::new(!noted),
            unused: AtomicBool::new(!kept.secret_used),
        });
        self.inner.recent.keep(&live, generation);
        Ok(Some(live))
    }

    /// What these roles allow to a key: nothing that they give with a second factor alone, since a key is no second factor.
    fn permissions<'a>(&self, held: impl Iterator<Item = &'a str> + Clone) -> Arc<[&'static str]> {
        let is_held = |role: &&Role| held.clone().any(|name| name == role.name());
        let roles = self.inner.roles.iter().filter(is_held);
        roles
            .filter(|role| !role.wants_second_factor())
            .flat_map(Role::permissions)
            .collect()
    }
}

impl Live {
    #[cfg(test)]
    pub(super) fn of(id: Id<ApiKey>, owner: Id<Account>) -> Self {
        Self {
            id,
            actor: Actor::new(owner, [].into()),
            scopes: Vec::new(),
            networks: None,
            hash: Vec::new(),
            previous: None,
            expires: OffsetDateTime::now_utc(),
            due: AtomicBool::new(false),
            unused: AtomicBool::new(false),
        }
    }

    pub(super) fn id(&self) -> Id<ApiKey> {
        self.id
    }

    pub(super) fn owner(&self) -> Id<Account> {
        self.actor.id()
    }

    pub(super) fn actor(&self) -> Actor {
        self.actor.clone()
    }

    /// Whether it has the scope, and its owner the scope's permission.
    pub(super) fn may(&self, scope: ScopeInfo) -> bool {
        let permitted = scope
            .permission
            .is_none_or(|permission| self.actor.has(permission));
        permitted && self.scopes.iter().any(|own| own == scope.name)
    }

    /// What is wrong with a secret of this hash, in a word.
    fn wrong(&self, hash: &[u8; 32]) -> Option<&'static str> {
        let now = OffsetDateTime::now_utc();
        let until = if compare::equal(hash, &self.hash) {
            self.expires
        } else {
            match &self.previous {
                Some((previous, until)) if compare::equal(hash, previous) => *until,
                _ => return Some("secret"),
            }
        };
        (now >= until).then_some("expired")
    }
}

fn refused(live: Option<&Live>, reason: &'static str) -> Error {
    Event::ApiKeyRefused {
        account: live.map(|live| live.owner().uuid()),
        key: live.map(|live| live.id.uuid()),
        reason,
    }
    .emit();
    Error::unauthorized()
}
