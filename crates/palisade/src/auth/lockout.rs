//! Failed sign-ins slow down and then lock, by account, by address and by network, up to a cap; in the database, for every instance.
//!
//! Follows NIST SP 800-63B-4, section 3.2.2, and OWASP ASVS 5.0, section 6.3.1.

mod codes;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;

use super::client::Client;
use super::device::Device;
use crate::config::Config;
use crate::db::{Db, Runs, Tx, Writing};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::secret::key::Key;
use palisade_macros::{row, sql};

/// From this wait on the log speaks of a lockout.
const LOCKOUT: Duration = Duration::from_secs(60);

/// Counts failed sign-ins, and says who has to wait.
///
/// # Security
/// A try is counted before its password is looked at, so many at once are counted like many in turn. A
/// try that has to wait is not counted: who hammers a locked account does not keep it locked. Nothing depends on whether the account exists.
///
/// A known device has a count of its own and passes what others locked; so nobody can lock the owner of an account out.
#[derive(Debug, Clone)]
pub(super) struct Lockout(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    key: Key,
    cap: Duration,
    code_cap: Duration,
    db: Db,
}

/// One try that was counted.
pub(super) struct Attempt {
    counted: Vec<Counted>,
    /// Tries of this account, or this device, that failed before.
    pub(super) failures: u64,
}

/// Whose failures are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    Account,
    Address,
    Network,
    Device,
    /// Codes of an account's second factor; those that come from a known device are counted apart.
    SecondFactor,
}

/// Who has to wait, and until when.
#[derive(Debug, Clone, Copy)]
struct Blocked {
    scope: Scope,
    until: OffsetDateTime,
}

impl Blocked {
    fn error(self, detail: &'static str) -> Error {
        Event::SignInBlocked {
            scope: self.scope.name(),
        }
        .emit();
        let left = (self.until - OffsetDateTime::now_utc()).whole_seconds() + 1;
        Error::too_many_requests(u32::try_from(left).unwrap_or(1)).with_detail(detail)
    }
}

struct Counted {
    scope: Scope,
    key: [u8; 32],
    wait: Duration,
    blocked_before: OffsetDateTime,
    blocked_until: OffsetDateTime,
}

#[row]
struct Row {
    failures: u32,
    blocked_until: OffsetDateTime,
}

impl Scope {
    fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Address => "address",
            Self::Network => "network",
            Self::Device => "device",
            Self::SecondFactor => "second_factor",
        }
    }

    /// Failures that cost no wait; several people share an address, and many a network.
    fn free(self) -> u32 {
        match self {
            Self::Account | Self::Device | Self::SecondFactor => 4,
            Self::Address => 9,
            Self::Network => 49,
        }
    }

    /// How long failures are remembered after the last one.
    fn kept(self) -> Duration {
        match self {
            Self::Account | Self::Device => Duration::from_secs(86_400),
            Self::Address | Self::Network => Duration::from_secs(3_600),
            // Longer than the longest wait, or a code could be tried anew after it.
            Self::SecondFactor => Duration::from_secs(30 * 86_400),
        }
    }

    /// Whether it stands for one person alone, whose success forgets his failures.
    fn is_personal(self) -> bool {
        matches!(self, Self::Account | Self::Device | Self::SecondFactor)
    }

    /// One second after the first failure that is not free, then twice as long each time.
    fn wait(self, failures: u32, cap: Duration) -> Duration {
        match failures.checked_sub(self.free() + 1) {
            None => Duration::ZERO,
            Some(doublings) => Duration::from_secs(1 << doublings.min(20)).min(cap),
        }
    }
}

impl Lockout {
    pub(super) fn new(config: &Config, db: Db) -> Self {
        Self(Arc::new(Inner {
            key: config.secret_key.derive("sign-in attempts"),
            cap: config.auth.lockout_cap,
            code_cap: config.auth.second_factor_lockout_cap,
            db,
        }))
    }

    /// Counts a try, as a failure until [`succeeded`](Self::succeeded) says otherwise.
    ///
    /// # Errors
    /// 429 when failures before it make it wait.
    pub(super) async fn begin(
        &self,
        email: &str,
        client: Client,
        device: Option<Device>,
    ) -> Result<Attempt> {
        if let Some(device) = device {
            let scopes = [(Scope::Device, self.device(device))];
            // A device that failed too often is one like any other.
            if let Ok(attempt) = self.count(&scopes).await? {
                return Ok(attempt);
            }
        }
        let scopes = [
            (Scope::Account, self.account(email)),
            (Scope::Address, client.mark(&self.0.key)),
            (Scope::Network, self.network(client.address)),
        ];
        let counted = self.count(&scopes).await?;
        counted.map_err(|blocked| blocked.error("too many sign-ins failed: wait, then try again"))
    }

    /// The try was the owner's: the account's failures are forgotten, and the others' are what they were.
    pub(super) async fn succeeded(&self, attempt: Attempt) -> Result<()> {
        self.take_back(attempt, true).await
    }

    /// The try came to nothing, for a reason that is not the client's.
    pub(super) async fn undo(&self, attempt: Attempt) -> Result<()> {
        self.take_back(attempt, false).await
    }

    /// The password, or the code, was wrong.
    pub(super) fn failed(&self, attempt: &Attempt, account: Option<uuid::Uuid>) {
        for counted in &attempt.counted {
            if counted.wait >= LOCKOUT {
                Event::LockedOut {
                    account,
                    scope: counted.scope.name(),
                }
                .emit();
            }
        }
    }

    /// Forgets an account's failures.
    pub(super) async fn unlock(&self, email: &str) -> Result<()> {
        self.forget_key(&self.0.db, self.account(email)).await
    }

    /// The same, together with what the transaction changes.
    pub(super) async fn unlock_in(&self, tx: &Tx, email: &str) -> Result<()> {
        self.forget_key(tx, self.account(email)).await
    }

    async fn forget_key(&self, db: &impl Runs<Writing>, key: [u8; 32]) -> Result<()> {
        sql!("delete from palisade_sign_in_attempts where key = {key}")
            .execute(db)
            .await
            .map(drop)
    }

    /// Notes that this client signed somebody up.
    pub(super) async fn signed_up(&self, tx: &Tx, client: Client) -> Result<()> {
        let key = self.0.key.derive("sign-ups");
        let now = now();
        one_more(tx, &client.mark(&key), now, now + Scope::Address.kept())
            .await
            .map(drop)
    }

    /// Counts one more for each, or for none when one of them has to wait.
    async fn count(&self, scopes: &[(Scope, [u8; 32])]) -> Result<Result<Attempt, Blocked>> {
        let now = now();
        let tx = self.0.db.begin().await?;
        let mut attempt = Attempt {
            counted: Vec::new(),
            failures: 0,
        };
        let mut blocked: Option<Blocked> = None;
        // Always in the same order, so that two tries never wait for each other's rows.
        for (scope, key) in scopes {
            let row = one_more(&tx, key, now, now + scope.kept()).await?;
            let until = row.blocked_until;
            if until > now && blocked.is_none_or(|blocked| blocked.until < until) {
                blocked = Some(Blocked {
                    scope: *scope,
                    until,
                });
            }
            let cap = match scope {
                Scope::SecondFactor => self.0.code_cap,
                _ => self.0.cap,
            };
            let wait = scope.wait(row.failures, cap);
            if scope.is_personal() {
                attempt.failures = u64::from(row.failures.saturating_sub(1));
            }
            attempt.counted.push(Counted {
                scope: *scope,
                key: *key,
                wait,
                blocked_before: row.blocked_until,
                blocked_until: now + wait,
            });
        }
        if let Some(blocked) = blocked {
            // Nothing of it is kept.
            return Ok(Err(blocked));
        }
        for counted in attempt
            .counted
            .iter()
            .filter(|counted| !counted.wait.is_zero())
        {
            sql!("update palisade_sign_in_attempts set blocked_until = {counted.blocked_until} where key = {counted.key}")
                .execute(&tx)
                .await?;
        }
        tx.commit().await?;
        Ok(Ok(attempt))
    }

    async fn take_back(&self, attempt: Attempt, succeeded: bool) -> Result<()> {
        let tx = self.0.db.begin().await?;
        for counted in &attempt.counted {
            let key = counted.key;
            if succeeded && counted.scope.is_personal() {
                sql!("delete from palisade_sign_in_attempts where key = {key}")
                    .execute(&tx)
                    .await?;
                continue;
            }
            // A wait that another try set in the meantime stays.
            sql!(
                "update palisade_sign_in_attempts set failures = failures - 1,
                 blocked_until = case when blocked_until = {counted.blocked_until} then {counted.blocked_before} else blocked_until end
                 where key = {key} and failures > 0"
            )
            .execute(&tx)
            .await?;
        }
        tx.commit().await
    }

    fn account(&self, email: &str) -> [u8; 32] {
        self.0.key.sign(format!("account {email}").as_bytes())
    }

    fn device(&self, Device(number): Device) -> [u8; 32] {
        self.0.key.sign(&[b"device ", number.as_slice()].concat())
    }

    /// A /24 of IPv4, a /48 of IPv6: what one customer of a provider has.
    fn network(&self, address: IpAddr) -> [u8; 32] {
        let text = match address.to_canonical() {
            IpAddr::V4(address) => {
                let [a, b, c, _] = address.octets();
                format!("network {a}.{b}.{c}")
            }
            IpAddr::V6(address) => {
                let [a, b, c, ..] = address.segments();
                format!("network {a:x}:{b:x}:{c:x}")
            }
        };
        self.0.key.sign(text.as_bytes())
    }
}

async fn one_more(
    tx: &Tx,
    key: &[u8; 32],
    now: OffsetDateTime,
    expires: OffsetDateTime,
) -> Result<Row> {
    sql!(
        Row,
        "insert into palisade_sign_in_attempts (key, failures, blocked_until, expires_at) values ({key}, 1, {now}, {expires})
         on conflict (key) do update set expires_at = {expires},
         failures = case when palisade_sign_in_attempts.expires_at <= {now} then 1 else palisade_sign_in_attempts.failures + 1 end
         returning failures, blocked_until"
    )
    .one(tx)
    .await
}

/// In microseconds, as both databases keep it.
fn now() -> OffsetDateTime {
    let now = OffsetDateTime::now_utc();
    now.replace_nanosecond(now.microsecond() * 1000)
        .unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_twice_as_long_each_time_and_never_longer_than_the_cap() {
        let cap = Duration::from_secs(900);
        let waits = |scope: Scope| -> Vec<u64> {
            let all = (1..=scope.free() + 13).map(|failures| scope.wait(failures, cap).as_secs());
            all.skip(scope.free() as usize - 1).collect()
        };
        let expected = [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900];
        for scope in [
            Scope::Account,
            Scope::Address,
            Scope::Network,
            Scope::Device,
            Scope::SecondFactor,
        ] {
            assert_eq!(waits(scope), expected, "{scope:?}");
        }
        assert_eq!(Scope::Account.wait(u32::MAX, cap), cap);
    }

    #[test]
    fn remembers_wrong_codes_longer_than_they_can_make_anybody_wait() {
        // The most that `auth.second_factor_lockout_cap` may be.
        let most = Duration::from_secs(7 * 86_400);
        assert!(Scope::SecondFactor.kept() > 2 * most);
        assert_eq!(Scope::SecondFactor.wait(u32::MAX, most), most);
    }
}
