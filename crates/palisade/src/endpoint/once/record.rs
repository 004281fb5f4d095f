//! What is known of a request that is done once, in the database, for every instance.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http::{HeaderValue, StatusCode, header};
use time::OffsetDateTime;
use uuid::Uuid;

use super::answer::Answer;
use super::key::Asked;
use crate::config::Config;
use crate::db::Db;
use crate::error::{Error, Result};
use crate::secret::key::Key;
use crate::secret::seal::Seal;
use palisade_macros::{row, sql};

/// How much longer than its handler may take a request counts as under way: clocks of instances differ.
const MARGIN: Duration = Duration::from_secs(5);
const SWEEP_EVERY: Duration = Duration::from_secs(60);
/// Rows that one statement takes, so that no lock is held for long.
const BATCH: u32 = 500;
const BATCHES: usize = 20;

/// Requests that are done once.
///
/// # Security
/// A record is found by a hash of the caller and the key, so no caller meets another's. What the request was is kept as a keyed hash, and its
/// answer sealed (AES-256-GCM): who reads the database sees neither, not even an answer that shows a secret once.
#[derive(Clone)]
pub(crate) struct Once(Arc<Inner>);

struct Inner {
    /// The current one, then the one before.
    fingerprints: Vec<Key>,
    seal: Seal,
    lifetime: Duration,
    handler_timeout: Duration,
    made: Instant,
    /// Seconds after `made` of the last sweep, plus one.
    swept: AtomicU64,
    db: Db,
}

/// What is to be done about a request.
pub(super) enum Begun {
    /// It is the first.
    Claimed(Claim),
    /// It was done already.
    Answered(Answer),
}

/// One run of a request's handler: a later one that takes its place has another.
pub(super) struct Claim {
    id: [u8; 32],
    run: Uuid,
}

#[row]
struct Kept {
    fingerprint: Vec<u8>,
    answer: Option<Vec<u8>>,
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Once")
    }
}

impl Once {
    pub(crate) fn new(config: &Config, db: Db) -> Self {
        let keys = || std::iter::once(&config.secret_key).chain(&config.secret_key_previous);
        let seal = Seal::new(keys().map(|key| key.derive("idempotent answers")));
        Self(Arc::new(Inner {
            fingerprints: keys()
                .map(|key| key.derive("idempotent requests"))
                .collect(),
            seal: seal.expect("32 bytes are a key for AES-256"),
            lifetime: config.idempotency_lifetime,
            handler_timeout: config.handler_timeout,
            made: Instant::now(),
            swept: AtomicU64::new(0),
            db,
        }))
    }

    pub(super) fn handler_timeout(&self) -> Duration {
        self.0.handler_timeout
    }

    /// Claims the request, unless it was done or is under way.
    pub(super) async fn begin(&self, asked: &Asked, limit: Duration) -> Result<Begun> {
        self.sweep_when_due();
        let mut known = self
            .0
            .fingerprints
            .iter()
            .map(|key| key.sign(&asked.request));
        let current = known.next().unwrap_or_default();
        let previous = known.next().unwrap_or(current);
        // What it stood beside may be gone by the time that it is looked at.
        for _ in 0..3 {
            let claim = Claim {
                id: asked.id,
                run: Uuid::now_v7(),
            };
            if self
                .claim(&claim, asked, [current, previous], limit)
                .await?
            {
                return Ok(Begun::Claimed(claim));
            }
            let kept = sql!(
                Kept,
                "select fingerprint, answer from palisade_idempotency where id = {asked.id}"
            );
            match kept.optional(&self.0.db).await? {
                None => {}
                Some(kept) if kept.fingerprint != current && kept.fingerprint != previous => {
                    return Err(reused());
                }
                Some(Kept { answer: None, .. }) => return Err(under_way()),
                Some(Kept {
                    answer: Some(sealed),
                    ..
                }) => {
                    let opened = self.0.seal.open(&sealed, &asked.id)?;
                    let answer = Answer::read(opened.bytes.expose()).ok_or_else(Error::internal)?;
                    return Ok(Begun::Answered(answer));
                }
            }
        }
        Err(under_way())
    }

    /// Whether this run is the one: nobody came before, or whoever did is over.
    async fn claim(
        &self,
        claim: &Claim,
        asked: &Asked,
        [current, previous]: [[u8; 32]; 2],
        limit: Duration,
    ) -> Result<bool> {
        let now = OffsetDateTime::now_utc();
        let claimed = sql!(
            "insert into palisade_idempotency (id, account_id, fingerprint, claim, locked_until, expires_at)
             values ({claim.id}, {asked.account}, {current}, {claim.run}, {now + limit + MARGIN}, {now + self.0.lifetime})
             on conflict (id) do update set account_id = excluded.account_id, fingerprint = excluded.fingerprint, claim = excluded.claim,
                 answer = null, locked_until = excluded.locked_until, expires_at = excluded.expires_at
             where palisade_idempotency.expires_at <= {now}
             or (palisade_idempotency.answer is null and palisade_idempotency.locked_until <= {now}
                 and palisade_idempotency.fingerprint in ({current}, {previous}))"
        );
        Ok(claimed.execute(&self.0.db).await? > 0)
    }

    /// Keeps the answer for whoever asks again.
    pub(super) async fn keep(&self, claim: &Claim, answer: &Answer) {
        if let Err(error) = self.try_to_keep(claim, answer).await {
            error.log();
            tracing::error!(
                "the answer of an idempotent request could not be kept: asked again, it is done again"
            );
        }
    }

    async fn try_to_keep(&self, claim: &Claim, answer: &Answer) -> Result<()> {
        let sealed = self.0.seal.close(&answer.write(), &claim.id)?;
        let kept = async || {
            sql!(
                "update palisade_idempotency set answer = {sealed} where id = {claim.id} and claim = {claim.run}"
            )
            .execute(&self.0.db)
            .await
        };
        // Once more, since much hangs on it.
        match kept().await {
            Ok(_) => Ok(()),
            Err(_) => kept().await.map(drop),
        }
    }

    /// Lets whoever asks again begin anew.
    pub(super) async fn release(&self, claim: &Claim) {
        let released = sql!(
            "delete from palisade_idempotency where id = {claim.id} and claim = {claim.run} and answer is null"
        );
        if let Err(error) = released.execute(&self.0.db).await {
            // It lapses with its time.
            tracing::warn!(?error, "an idempotent request could not be released");
        }
    }

    /// Sweeps once a minute at most, beside the request that finds it due.
    fn sweep_when_due(&self) {
        let now = self.0.made.elapsed().as_secs() + 1;
        let last = self.0.swept.load(Ordering::Relaxed);
        let due = last == 0 || now >= last + SWEEP_EVERY.as_secs();
        let (order, other) = (Ordering::Relaxed, Ordering::Relaxed);
        if due && (self.0.swept.compare_exchange(last, now, order, other)).is_ok() {
            let db = self.0.db.clone();
            tokio::spawn(async move {
                if let Err(error) = sweep(&db).await {
                    tracing::warn!(?error, "old idempotent requests could not be swept out");
                }
            });
        }
    }
}

async fn sweep(db: &Db) -> Result<()> {
    let now = OffsetDateTime::now_utc();
    for _ in 0..BATCHES {
        let gone = sql!(
            "delete from palisade_idempotency where id in
             (select id from palisade_idempotency where expires_at <= {now} limit {BATCH})"
        );
        if gone.execute(db).await? == 0 {
            break;
        }
    }
    Ok(())
}

fn reused() -> Error {
    Error::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "idempotency-key-reused",
        "The `Idempotency-Key` was used for another request",
    )
    .with_detail("send the very same request with it, or another key with this one")
}

fn under_way() -> Error {
    Error::new(
        StatusCode::CONFLICT,
        "idempotency-under-way",
        "This request is being worked on",
    )
    .with_header(header::RETRY_AFTER, HeaderValue::from_static("1"))
}
