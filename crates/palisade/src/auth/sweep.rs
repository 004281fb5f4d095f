//! What is over is swept out of the tables, a bounded number at a time, by whoever comes by.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use time::OffsetDateTime;

use super::credential::ENROLMENT;
use crate::config::AuthConfig;
use crate::db::Db;
use crate::error::Result;
use palisade_macros::sql;

const EVERY: Duration = Duration::from_secs(60);
/// Rows that one statement takes, so that no lock is held for long.
const BATCH: u32 = 500;
const BATCHES: usize = 20;
const SHOWN_EXPIRED: Duration = Duration::from_secs(30 * 86_400);

/// Sweeps once a minute at most, beside the request that finds it due.
#[derive(Debug, Clone)]
pub(super) struct Sweeper(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    made: Instant,
    /// Seconds after `made` of the last sweep, plus one.
    last: AtomicU64,
    idle: Duration,
    session_idle: Duration,
    db: Db,
}

impl Sweeper {
    pub(super) fn new(config: &AuthConfig, db: Db) -> Self {
        Self(Arc::new(Inner {
            made: Instant::now(),
            last: AtomicU64::new(0),
            idle: config.refresh_token_idle,
            session_idle: config.session_idle,
            db,
        }))
    }

    /// Sweeps when it is due.
    pub(super) fn pass(&self) {
        let now = self.0.made.elapsed().as_secs() + 1;
        let last = self.0.last.load(Ordering::Relaxed);
        let due = last == 0 || now >= last + EVERY.as_secs();
        let exchange = |last| {
            let (order, other) = (Ordering::Relaxed, Ordering::Relaxed);
            self.0.last.compare_exchange(last, now, order, other)
        };
        if due && exchange(last).is_ok() {
            let sweeper = self.clone();
            tokio::spawn(async move {
                if let Err(error) = sweeper.sweep().await {
                    tracing::warn!(
                        ?error,
                        "what is over could not be swept out of the tables of accounts"
                    );
                }
            });
        }
    }

    async fn sweep(&self) -> Result<()> {
        let now = OffsetDateTime::now_utc();
        let idle = now - self.0.idle;
        let unused = now - self.0.session_idle;
        for _ in 0..BATCHES {
            let attempts = sql!(
                "delete from palisade_sign_in_attempts where key in
                 (select key from palisade_sign_in_attempts where expires_at < {now} limit {BATCH})"
            );
            // A token whose time is over is refused by its own `exp`.
            let revoked = sql!(
                "delete from palisade_revoked_tokens where jti in
                 (select jti from palisade_revoked_tokens where expires_at < {now - Duration::from_secs(300)} limit {BATCH})"
            );
            let families = sql!(
                "delete from palisade_token_families where id in
                 (select id from palisade_token_families where expires_at < {now} or rotated_at < {idle} limit {BATCH})"
            );
            let sessions = sql!(
                "delete from palisade_sessions where id in
                 (select id from palisade_sessions where expires_at < {now} or used_at < {unused} limit {BATCH})"
            );
            // Nobody confirmed them, and nobody can any more.
            let enrolments = sql!(
                "delete from palisade_credentials where id in
                 (select id from palisade_credentials where confirmed_at is null and created_at < {now - ENROLMENT} limit {BATCH})"
            );
            // Its owner can see for a while which key ran out.
            let keys = sql!(
                "delete from palisade_api_keys where id in
                 (select id from palisade_api_keys where expires_at < {now - SHOWN_EXPIRED} limit {BATCH})"
            );
            let tokens = sql!(
                "delete from palisade_mail_tokens where token_hash in
                 (select token_hash from palisade_mail_tokens where expires_at < {now} limit {BATCH})"
            );
            let counts = sql!(
                "delete from palisade_mail_counts where subject in
                 (select subject from palisade_mail_counts where expires_at < {now} limit {BATCH})"
            );
            let db = &self.0.db;
            let gone = attempts.execute(db).await?
                + revoked.execute(db).await?
                + families.execute(db).await?
                + sessions.execute(db).await?
                + enrolments.execute(db).await?
                + keys.execute(db).await?
                + tokens.execute(db).await?
                + counts.execute(db).await?;
            if gone == 0 {
                break;
            }
        }
        Ok(())
    }
}
