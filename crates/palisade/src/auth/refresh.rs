//! Refresh tokens: each is good once, and gives the next; an old one that comes back ends the sign-in that it belongs to.
//!
//! Follows RFC 9700, section 4.14 (rotation, families, expiry), and OWASP ASVS 5.0, section 10.4.

mod token;

use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;

use super::client::Client;
use super::jwt::Verified;
use super::presented::Presented;
use crate::access::{Account, Id};
use crate::config::Config;
use crate::db::{Db, Runs, Writing};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::secret::compare;
use crate::secret::key::Key;
use palisade_macros::{row, sql};

pub(super) use token::RefreshToken;
use token::Sealer;

/// How often one sign-in can be refreshed.
const MOST_ROTATIONS: u32 = 100_000;

/// One sign-in of an account: every refresh token that came from it, and every access token.
#[derive(Debug, Clone, Copy)]
pub(super) struct Family;

/// Hands out refresh tokens and takes them back.
///
/// # Security
/// The database holds a SHA-256 of the one token that may come next, and nothing of the others. Every older token is known by a seal that
/// only this service can make: when one comes back, somebody copied it, and the whole family ends, whoever of the two it was.
///
/// A client whose answer was lost may ask once more within the grace, from the same address, while the next token is
/// unused; it gets the very token that it missed, so there is never a second line of tokens. A thief elsewhere has no grace.
#[derive(Debug, Clone)]
pub(super) struct RefreshTokens(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    sealers: Vec<Sealer>,
    clients: Key,
    lifetime: Duration,
    idle: Duration,
    grace: Duration,
    /// Access tokens that were found good, to be forgotten with their family.
    verified: Arc<Verified>,
    db: Db,
}

/// What a refresh gives.
pub(super) struct Rotated {
    pub(super) account: Id<Account>,
    pub(super) family: Id<Family>,
    pub(super) token: RefreshToken,
    pub(super) expires: OffsetDateTime,
}

#[row]
struct Kept {
    account_id: Id<Account>,
    token_hash: Vec<u8>,
    generation: u32,
    rotated_at: OffsetDateTime,
    rotated_by: Vec<u8>,
    expires_at: OffsetDateTime,
}

impl RefreshTokens {
    pub(super) fn new(config: &Config, db: Db, verified: Arc<Verified>) -> Self {
        let keys = std::iter::once(&config.secret_key).chain(&config.secret_key_previous);
        Self(Arc::new(Inner {
            sealers: keys.map(Sealer::new).collect(),
            clients: config.secret_key.derive("refresh clients"),
            lifetime: config.auth.refresh_token_lifetime,
            idle: config.auth.refresh_token_idle,
            grace: config.auth.refresh_grace,
            verified,
            db,
        }))
    }

    /// Begins a family: somebody signed in.
    pub(super) async fn begin(&self, account: Id<Account>, client: Client) -> Result<Rotated> {
        self.begin_in(&self.0.db, account, client).await
    }

    /// Begins a family in the place of this one, which ends: a copy of its tokens gains nothing by what the person proved.
    ///
    /// # Errors
    /// 401 when it has ended already, as when two ask at once.
    pub(super) async fn renew(
        &self,
        family: Id<Family>,
        account: Id<Account>,
        client: Client,
    ) -> Result<Rotated> {
        let tx = self.0.db.begin().await?;
        let gone = sql!(
            "delete from palisade_token_families where id = {family} and account_id = {account}"
        );
        if gone.execute(&tx).await? == 0 {
            return Err(refused("revoked"));
        }
        let begun = self.begin_in(&tx, account, client).await?;
        tx.commit().await?;
        self.0.verified.forget(|checked| checked.family == family);
        Ok(begun)
    }

    async fn begin_in(
        &self,
        db: &impl Runs<Writing>,
        account: Id<Account>,
        client: Client,
    ) -> Result<Rotated> {
        let family = Id::<Family>::new();
        let token = self.current().begin(family);
        let now = OffsetDateTime::now_utc();
        let expires = now + self.0.lifetime;
        sql!(
            "insert into palisade_token_families
             (id, account_id, token_hash, generation, rotated_at, rotated_by, created_at, expires_at)
             values ({family}, {account}, {token.hash()}, {0_u32}, {now}, {client.mark(&self.0.clients)}, {now}, {expires})"
        )
        .execute(db)
        .await?;
        Ok(Rotated {
            account,
            family,
            token,
            expires,
        })
    }

    /// Gives the next token for this one.
    ///
    /// # Errors
    /// 401 when it is not one of ours, its time is over, or it was used before: then the family ends too.
    pub(super) async fn rotate(&self, presented: &Presented, client: Client) -> Result<Rotated> {
        let Some(token) = RefreshToken::parse(presented) else {
            return Err(refused("malformed"));
        };
        // Of several that come with one token at once, one is first; the others look once more.
        for _ in 0..2 {
            let Some(kept) = self.kept(&token).await? else {
                return Err(refused("unknown"));
            };
            let now = OffsetDateTime::now_utc();
            if now >= kept.expires_at
                || now >= kept.rotated_at + self.0.idle
                || kept.generation >= MOST_ROTATIONS
            {
                return Err(refused("expired"));
            }
            let next = if compare::equal(token.hash(), &kept.token_hash) {
                let next = self.current().next(&token);
                if !self.advance(&token, &next, client, now).await? {
                    continue;
                }
                next
            } else {
                match self.lost_answer(&token, &kept, client, now) {
                    Some(next) => next,
                    None => return Err(self.misused(&token, &kept).await?),
                }
            };
            return Ok(Rotated {
                account: kept.account_id,
                family: token.family(),
                token: next,
                expires: kept.expires_at,
            });
        }
        Err(refused("unknown"))
    }

    /// Ends one family; tells whether it was there.
    pub(super) async fn revoke(&self, family: Id<Family>) -> Result<bool> {
        let gone = sql!("delete from palisade_token_families where id = {family}")
            .execute(&self.0.db)
            .await?;
        self.0.verified.forget(|checked| checked.family == family);
        Ok(gone > 0)
    }

    /// Ends every family of an account.
    pub(super) async fn revoke_all(&self, account: Id<Account>) -> Result<u64> {
        let gone = sql!("delete from palisade_token_families where account_id = {account}")
            .execute(&self.0.db)
            .await?;
        self.0.verified.forget(|checked| checked.account == account);
        Ok(gone)
    }

    async fn kept(&self, token: &RefreshToken) -> Result<Option<Kept>> {
        sql!(
            Kept,
            "select account_id, token_hash, generation, rotated_at, rotated_by, expires_at
             from palisade_token_families where id = {token.family()}"
        )
        .optional(&self.0.db)
        .await
    }

    /// Puts the next token in this one's place, unless another request did so first.
    async fn advance(
        &self,
        token: &RefreshToken,
        next: &RefreshToken,
        client: Client,
        now: OffsetDateTime,
    ) -> Result<bool> {
        let moved = sql!(
            "update palisade_token_families
             set token_hash = {next.hash()}, generation = {next.generation()}, rotated_at = {now},
                 rotated_by = {client.mark(&self.0.clients)}
             where id = {token.family()} and token_hash = {token.hash()}"
        );
        Ok(moved.execute(&self.0.db).await? > 0)
    }

    /// The next token once more, when this one was used a moment ago by the same client and the next one is unused.
    fn lost_answer(
        &self,
        token: &RefreshToken,
        kept: &Kept,
        client: Client,
        now: OffsetDateTime,
    ) -> Option<RefreshToken> {
        let same = compare::equal(client.mark(&self.0.clients), &kept.rotated_by);
        if !same || now >= kept.rotated_at + self.0.grace {
            return None;
        }
        let mut nexts = self.0.sealers.iter().map(|sealer| sealer.next(token));
        nexts.find(|next| compare::equal(next.hash(), &kept.token_hash))
    }

    /// A token that is not the next one: an old one of the family ends it, anything else is nothing.
    async fn misused(&self, token: &RefreshToken, kept: &Kept) -> Result<Error> {
        let ours = self.0.sealers.iter().any(|sealer| sealer.sealed(token));
        if !ours || token.generation() >= kept.generation {
            return Ok(refused("invalid"));
        }
        let account = kept.account_id.uuid();
        if self.revoke(token.family()).await? {
            Event::TokenReused { account }.emit();
        }
        Ok(Error::unauthorized())
    }

    fn current(&self) -> &Sealer {
        // There is always the current key.
        &self.0.sealers[0]
    }
}

fn refused(reason: &'static str) -> Error {
    Event::TokenRefused { reason }.emit();
    Error::unauthorized()
}
