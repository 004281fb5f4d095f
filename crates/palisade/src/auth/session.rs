//! Sessions of browsers: a cookie that holds a random id, and a row that says whose it is.
//!
//! Follows OWASP ASVS 5.0, chapter 7, NIST SP 800-63B-4, section 5, and OWASP's Session Management Cheat Sheet.

mod guard;

use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;

use super::client::Client;
use super::roles::disabled;
use super::verified::{Credential, Verified};
use crate::access::{Account, Id};
use crate::config::AuthConfig;
use crate::db::{Db, Tx};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::input::Timestamp;
use crate::secret::token::Token;
use palisade_macros::{row, sql};

pub(super) use guard::Current;
pub use guard::Session;

/// How often the last use is written, at most.
const USE_IS_WRITTEN: Duration = Duration::from_secs(60);
/// Sessions of one account; a new one ends that which was unused for longest.
const MOST: u32 = 100;

/// Begins sessions, finds them and ends them.
///
/// # Security
/// The id in the cookie is 256 random bits; the database holds its SHA-256. A sign-in and a proof made anew each give a new id, so
/// none that somebody else has set or seen is ever good for more than before. What ends here ends at once in this process, and within
/// `auth.recheck_after` in the others.
#[derive(Debug, Clone)]
pub(super) struct Sessions(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    lifetime: Duration,
    idle: Duration,
    /// Those that were found good.
    verified: Verified<Seen>,
    db: Db,
}

/// A session that was found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    pub(super) id: Id<Session>,
    pub(super) account: Id<Account>,
    /// The hash of its id, which a proof made anew takes the place of.
    pub(super) hash: [u8; 32],
    ends: OffsetDateTime,
}

impl Credential for Seen {
    fn ends(&self) -> OffsetDateTime {
        self.ends
    }
}

/// A session that begins, or goes on under a new id.
pub(super) struct Begun {
    pub(super) id: Id<Session>,
    pub(super) token: Token,
    pub(super) lifetime: Duration,
    pub(super) idle: Duration,
}

/// A session as it stands in the database, once for each role of its account.
#[row]
pub(super) struct Kept {
    id: Id<Session>,
    account_id: Id<Account>,
    pub(super) authenticated_at: Timestamp,
    pub(super) second_factor: bool,
    pub(super) enrolled: bool,
    used_at: OffsetDateTime,
    expires_at: OffsetDateTime,
    pub(super) role: Option<String>,
}

impl Sessions {
    pub(super) fn new(config: &AuthConfig, db: Db) -> Self {
        Self(Arc::new(Inner {
            lifetime: config.session_lifetime,
            idle: config.session_idle,
            verified: Verified::new(config.recheck_after),
            db,
        }))
    }

    /// How long one lasts unused.
    pub(super) fn idle(&self) -> Duration {
        self.0.idle
    }

    /// Those that were found good a moment ago.
    pub(super) fn verified(&self) -> &Verified<Seen> {
        &self.0.verified
    }

    /// Begins a session; the one whose id the browser had until now ends.
    pub(super) async fn begin(
        &self,
        account: Id<Account>,
        client: Client,
        before: Option<[u8; 32]>,
        second_factor: bool,
    ) -> Result<Begun> {
        let begun = self.fresh(Id::new());
        let now = OffsetDateTime::now_utc();
        let expires = now + self.0.lifetime;
        let tx = self.0.db.begin().await?;
        if let Some(before) = before {
            sql!("delete from palisade_sessions where token_hash = {before}")
                .execute(&tx)
                .await?;
        }
        let written = sql!(
            "insert into palisade_sessions
             (id, account_id, token_hash, device, second_factor, authenticated_at, created_at, used_at, expires_at)
             select {begun.id}, id, {begun.token.hash()}, {client.agent.as_str()}, {second_factor}, {now}, {now}, {now}, {expires}
             from palisade_accounts where id = {account} and disabled_at is null"
        );
        if written.execute(&tx).await? == 0 {
            return Err(disabled());
        }
        tx.commit().await?;
        if let Some(before) = before {
            self.0.verified.forget(|seen| seen.hash == before);
        }
        let crowded = sql!(
            "delete from palisade_sessions where id in
             (select id from palisade_sessions where account_id = {account} order by used_at desc, id limit 1 offset {MOST})"
        );
        if crowded.execute(&self.0.db).await? > 0 {
            self.forget(account);
        }
        Event::SessionCreated {
            account: account.uuid(),
        }
        .emit();
        Ok(begun)
    }

    /// Gives a session a new id, as its owner proved themselves; whoever has a copy of the old one has nothing.
    ///
    /// # Errors
    /// 401 when it has ended, or has a new id already, as when two ask at once.
    pub(super) async fn renew(
        &self,
        session: Id<Session>,
        hash: [u8; 32],
        account: Id<Account>,
        second_factor: bool,
    ) -> Result<Begun> {
        let begun = self.fresh(session);
        let now = OffsetDateTime::now_utc();
        let expires = now + self.0.lifetime;
        let renewed = sql!(
            "update palisade_sessions
             set token_hash = {begun.token.hash()}, second_factor = {second_factor}, authenticated_at = {now}, used_at = {now}, expires_at = {expires}
             where id = {session} and token_hash = {hash} and account_id = {account}"
        );
        if renewed.execute(&self.0.db).await? == 0 {
            return Err(refused("unknown"));
        }
        self.0.verified.forget(|other| other.hash == hash);
        Ok(begun)
    }

    /// The session in what the database says of an id, when its time is not over.
    ///
    /// # Errors
    /// 401 when there is none, or it is over.
    pub(super) async fn found(&self, hash: [u8; 32], kept: Option<&Kept>) -> Result<Seen> {
        let Some(kept) = kept else {
            return Err(refused("unknown"));
        };
        let now = OffsetDateTime::now_utc();
        let mut ends = kept.expires_at.min(kept.used_at + self.0.idle);
        if now >= ends {
            return Err(refused("expired"));
        }
        if now >= kept.used_at + USE_IS_WRITTEN {
            ends = kept.expires_at.min(now + self.0.idle);
            let used = sql!(
                "update palisade_sessions set used_at = {now} where id = {kept.id} and used_at = {kept.used_at}"
            );
            // A request is none the worse for it, and the next one tries again.
            if let Err(error) = used.execute(&self.0.db).await {
                tracing::warn!(?error, "the last use of a session could not be written");
            }
        }
        Ok(Seen {
            id: kept.id,
            account: kept.account_id,
            hash,
            ends,
        })
    }

    /// Ends one session.
    pub(super) async fn end(&self, session: Id<Session>) -> Result<()> {
        sql!("delete from palisade_sessions where id = {session}")
            .execute(&self.0.db)
            .await?;
        self.0.verified.forget(|seen| seen.id == session);
        Ok(())
    }

    /// Ends an account's sessions but this one, within a transaction; [`forget`](Self::forget) follows it.
    pub(super) async fn end_others(
        &self,
        tx: &Tx,
        account: Id<Account>,
        but: Option<Id<Session>>,
    ) -> Result<u64> {
        let but = but.map_or_else(uuid::Uuid::nil, |session| session.uuid());
        sql!("delete from palisade_sessions where account_id = {account} and id <> {but}")
            .execute(tx)
            .await
    }

    /// Looks an account's sessions up anew at their next requests.
    pub(super) fn forget(&self, account: Id<Account>) {
        self.0.verified.forget(|seen| seen.account == account);
    }

    fn fresh(&self, id: Id<Session>) -> Begun {
        Begun {
            id,
            token: Token::new(),
            lifetime: self.0.lifetime,
            idle: self.0.idle,
        }
    }
}

/// No session for this id, for a reason that only the log is told.
pub(super) fn refused(reason: &'static str) -> Error {
    Event::SessionRefused { reason }.emit();
    Error::unauthorized()
}
