//! The second factor: codes of an authenticator app, and recovery codes for who lost it.
//!
//! Follows RFC 6238, NIST SP 800-63B-4, sections 3.1.2 and 3.1.4, and OWASP ASVS 5.0, sections 6.3.3, 6.5 and 6.6.

mod base32;
mod challenge;
mod recovery_code;
mod totp;

use std::sync::Arc;

use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::Accounts;
use super::credential::{self, Credentials, Kept, Kind};
use super::mails::Notice;
use super::presented::Presented;
use crate::access::{Account, Id};
use crate::config::Config;
use crate::db::{Db, Tx};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::secret::seal::{Seal, Unopened};

pub(super) use challenge::{Answer, Sealed};
pub(super) use recovery_code::RecoveryCode;
pub(super) use totp::{Code, SharedSecret};

use challenge::Challenges;
use totp::Verdict;

/// Enrolls second factors and asks for them.
///
/// # Security
/// A shared secret is sealed with a key that is derived from the secret key, for its account alone: the database does not give it away. A code
/// is good once, because the step of the last one only moves forward. A recovery code is kept as a hash, and gone with its use.
#[derive(Debug, Clone)]
pub(super) struct SecondFactors(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    secrets: Seal,
    challenges: Challenges,
    issuer: String,
    credentials: Credentials,
    db: Db,
}

/// What an authenticator app is told, once.
pub(super) struct Enrolment {
    pub(super) secret: SharedSecret,
    pub(super) uri: Zeroizing<String>,
}

impl SecondFactors {
    pub(super) fn new(config: &Config, db: Db) -> Result<Self> {
        let keys = || std::iter::once(&config.secret_key).chain(&config.secret_key_previous);
        Ok(Self(Arc::new(Inner {
            secrets: Seal::new(keys().map(|key| key.derive("second factor secrets")))?,
            challenges: Challenges::new(keys().map(|key| key.derive("second factor challenges")))?,
            issuer: config.auth.issuer.clone(),
            credentials: Credentials::new(db.clone()),
            db,
        })))
    }

    /// Whether the account has one.
    pub(super) async fn is_set_up(&self, account: Id<Account>) -> Result<bool> {
        self.0.credentials.has_second_factor(account).await
    }

    /// Asks for it.
    pub(super) fn challenge(&self, sealed: &Sealed) -> Error {
        self.0.challenges.ask(sealed)
    }

    /// What a challenge holds, when it is one of ours and not over.
    fn challenged(&self, presented: &Presented) -> Option<Sealed> {
        self.0.challenges.read(presented, now())
    }

    /// A new shared secret, which counts when a code of it was [confirmed](Self::confirm).
    pub(super) async fn enroll(&self, account: Id<Account>, email: &str) -> Result<Enrolment> {
        let secret = SharedSecret::generate();
        let sealed = self.0.secrets.close(secret.expose(), &context(account))?;
        let credentials = &self.0.credentials;
        credentials.enroll(account, Kind::Totp, &sealed).await?;
        let uri = secret.uri(&self.0.issuer, email);
        Ok(Enrolment { secret, uri })
    }

    /// The step that this is the code of, if the enrolled secret shows it now.
    pub(super) fn is_code_of(
        &self,
        account: Id<Account>,
        enrolled: &Kept,
        code: &Code,
    ) -> Result<Option<i64>> {
        let (secret, _) = self.open(account, enrolled)?;
        if let Verdict::Right(step) = secret.verdict(code, now(), enrolled.counter) {
            return Ok(Some(step));
        }
        let account = account.uuid();
        Event::FactorRefused { account }.emit();
        Ok(None)
    }

    /// Makes the enrolled secret count, in the place of the one before, and gives a set of recovery codes.
    ///
    /// # Errors
    /// 409 when another request was first.
    pub(super) async fn confirm(
        &self,
        tx: &Tx,
        account: Id<Account>,
        enrolled: &Kept,
        step: i64,
    ) -> Result<Vec<RecoveryCode>> {
        let credentials = &self.0.credentials;
        if !credentials
            .confirm(tx, account, Kind::Totp, enrolled.id, step)
            .await?
        {
            return Err(not_enrolled());
        }
        self.replace_recovery_codes(tx, account).await
    }

    /// The secret that waits to be confirmed.
    ///
    /// # Errors
    /// 409 when none does.
    pub(super) async fn enrolled(&self, account: Id<Account>) -> Result<Kept> {
        let enrolled = self.0.credentials.enrolled(account, Kind::Totp).await?;
        enrolled.ok_or_else(not_enrolled)
    }

    /// A new set of recovery codes in the place of the old one.
    ///
    /// # Errors
    /// 409 when the account has no second factor that they could stand in for.
    pub(super) async fn new_recovery_codes(
        &self,
        account: Id<Account>,
    ) -> Result<Vec<RecoveryCode>> {
        if !self.is_set_up(account).await? {
            return Err(Error::conflict(
                "there is no second factor: enroll one first",
            ));
        }
        let tx = self.0.db.begin().await?;
        let codes = self.replace_recovery_codes(&tx, account).await?;
        tx.commit().await?;
        Ok(codes)
    }

    /// Takes the second factor and its recovery codes away, and an enrolment that waits.
    pub(super) async fn remove(&self, tx: &Tx, account: Id<Account>) -> Result<()> {
        credential::remove(tx, account, Kind::Totp).await?;
        credential::remove(tx, account, Kind::RecoveryCode).await
    }

    /// Whether this code is right, and was not taken before; from now on it was.
    async fn take(&self, account: Id<Account>, code: &Code) -> Result<bool> {
        let credentials = &self.0.credentials;
        let Some(kept) = credentials.confirmed(account, Kind::Totp).await? else {
            return Ok(false);
        };
        let (secret, outdated) = self.open(account, &kept)?;
        let account_id = account.uuid();
        match secret.verdict(code, now(), kept.counter) {
            // Of many at once one moves it forward.
            Verdict::Right(step) if credentials.advance(kept.id, step).await? => {
                if outdated {
                    let sealed = self.0.secrets.close(secret.expose(), &context(account))?;
                    credentials.reseal(&kept, &sealed).await?;
                }
                Ok(true)
            }
            Verdict::Right(_) | Verdict::Reused => {
                Event::FactorReused {
                    account: account_id,
                }
                .emit();
                Ok(false)
            }
            Verdict::Wrong => {
                Event::FactorRefused {
                    account: account_id,
                }
                .emit();
                Ok(false)
            }
        }
    }

    /// Whether this is one of the account's recovery codes; it is none any more.
    async fn spend(&self, account: Id<Account>, code: &RecoveryCode) -> Result<bool> {
        let (credentials, kind) = (&self.0.credentials, Kind::RecoveryCode);
        let spent = credentials
            .spend(account, kind, &code.hash(account))
            .await?;
        if !spent {
            let account = account.uuid();
            Event::FactorRefused { account }.emit();
        }
        Ok(spent)
    }

    async fn replace_recovery_codes(
        &self,
        tx: &Tx,
        account: Id<Account>,
    ) -> Result<Vec<RecoveryCode>> {
        let codes: Vec<_> = (0..recovery_code::SET)
            .map(|_| RecoveryCode::generate())
            .collect();
        let hashes: Vec<_> = codes.iter().map(|code| code.hash(account)).collect();
        let credentials = &self.0.credentials;
        credentials
            .replace(tx, account, Kind::RecoveryCode, &hashes)
            .await?;
        Ok(codes)
    }

    /// The secret, and whether it is sealed with a key before the current one.
    fn open(&self, account: Id<Account>, kept: &Kept) -> Result<(SharedSecret, bool)> {
        let opened = self.0.secrets.open(&kept.secret, &context(account))?;
        let secret = SharedSecret::of(opened.bytes.expose()).ok_or(Unopened)?;
        Ok((secret, opened.outdated))
    }
}

impl Accounts {
    /// Says what the owner of an account has to learn of, by mail too.
    pub(super) async fn tell(&self, account: Id<Account>, event: Event, notice: Notice) {
        event.emit();
        // What happened has happened, whether or not the address can be read now.
        if let Err(error) = self.notify(account, notice).await {
            tracing::warn!(?error, "the owner of an account could not be told by mail");
        }
    }
}

/// What a secret is sealed for.
fn context(account: Id<Account>) -> Vec<u8> {
    [b"totp ".as_slice(), account.uuid().as_bytes()].concat()
}

fn now() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp()
}

fn not_enrolled() -> Error {
    Error::conflict("there is nothing to confirm: enroll first")
}
