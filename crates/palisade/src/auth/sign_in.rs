//! The one way in: a password that is right, and then what it was given for. Tokens, sessions and proving oneself again share it.
//!
//! Follows NIST SP 800-63B-4, section 3.2, and OWASP ASVS 5.0, sections 6.3, 7.2.4 and 7.5.

use time::OffsetDateTime;

use super::accounts::Accounts;
use super::client::Client;
use super::device::Device;
use super::lockout::Attempt;
use super::mails::Notice;
use super::password::{PasswordHash, Place, Verdict};
use super::presented::Presented;
use super::refresh::Family;
use super::routes::{Entered, SessionEntered, SignedInView, handed_out};
use super::second_factor::Sealed;
use super::session::{Current, Session};
use crate::access::{Account, Id};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::input::{Email, Password};
use palisade_macros::{row, sql};

/// What somebody proves themselves for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    /// Tokens of a new sign-in.
    Tokens,
    /// Tokens in the place of those of this sign-in, which ends.
    TokensAnew(Id<Family>),
    /// A browser's session; the one of this hash, which the browser had until now, ends.
    Session { before: Option<[u8; 32]> },
    /// A new id for this session, whose old one, of this hash, ends.
    SessionAnew {
        session: Id<Session>,
        hash: [u8; 32],
    },
}

impl Entry {
    /// What takes the place of this sign-in.
    pub(super) fn anew(current: Current) -> Self {
        match current {
            Current::Tokens(checked) => Self::TokensAnew(checked.family),
            Current::Session(seen) => Self::SessionAnew {
                session: seen.id,
                hash: seen.hash,
            },
        }
    }
}

/// Somebody whose password was right.
///
/// # Security
/// [`Accounts::prove`] makes it, and [`Accounts::enter`] takes it, so whoever is let in has passed both.
pub(super) struct Proved {
    pub(super) account: Id<Account>,
    email: String,
    device: Option<Device>,
    /// The try, which counts as a failure until it is known what else the account asks for.
    attempt: Attempt,
    /// Which password it was.
    version: u32,
}

/// Somebody who gave all that the account asks for.
pub(super) struct Admitted {
    pub(super) account: Id<Account>,
    pub(super) email: String,
    pub(super) device: Option<Device>,
    /// Tries of this account, or this device, that failed before.
    pub(super) failures: u64,
    pub(super) second_factor: bool,
    /// Which password it was that let them in.
    pub(super) version: u32,
}

#[row]
struct Login {
    id: Id<Account>,
    password_hash: PasswordHash,
    password_version: u32,
    email_verified_at: Option<OffsetDateTime>,
}

impl Accounts {
    /// Looks at a password, in the same time and with the same answer whether there is an account or not.
    ///
    /// # Errors
    /// 401 when it is wrong, 429 when tries before it make it wait, 503 when too many passwords are waiting.
    pub(super) async fn prove(
        &self,
        email: &str,
        password: Password,
        device: Option<&Presented>,
        client: Client,
    ) -> Result<Proved> {
        // First this: a flood is turned away before it costs the database anything.
        let place = self.passwords.enter()?;
        let device = device.and_then(|token| self.devices.known(token, email));
        let attempt = self.lockout.begin(email, client, device).await?;
        let found = match self.owner(email, place, password).await {
            Ok(found) => found,
            Err(error) => {
                self.lockout.undo(attempt).await?;
                return Err(error);
            }
        };
        let (account, version) = match found {
            (Some(id), Some(version)) => (id, version),
            (account, _) => return Err(self.refused(&attempt, account)),
        };
        Ok(Proved {
            account,
            email: email.to_owned(),
            device,
            attempt,
            version,
        })
    }

    /// Lets in whose password was right, unless the account asks for more: then the wrong tries before stay counted until that is given.
    ///
    /// # Errors
    /// 401 `second-factor-required` with a challenge, when the account has one; 401 when the sign-in that is to be renewed has ended.
    pub(super) async fn enter(
        &self,
        proved: Proved,
        entry: Entry,
        client: Client,
    ) -> Result<Entered> {
        let Proved {
            account,
            email,
            device,
            attempt,
            version,
        } = proved;
        let failures = attempt.failures;
        match self.factors.is_set_up(account).await {
            Ok(false) => self.lockout.succeeded(attempt).await?,
            Ok(true) => {
                self.lockout.undo(attempt).await?;
                return Err(self.factors.challenge(&Sealed {
                    account,
                    version,
                    entry,
                    device,
                    failures: failures.try_into().unwrap_or(u32::MAX),
                }));
            }
            Err(error) => {
                self.lockout.undo(attempt).await?;
                return Err(error);
            }
        }
        let admitted = Admitted {
            account,
            email,
            device,
            failures,
            second_factor: false,
            version,
        };
        self.admit(admitted, entry, client).await
    }

    /// Begins, or renews, the sign-in of who gave all that the account asks for.
    ///
    /// # Errors
    /// 401 when the sign-in that is to be renewed has ended.
    pub(super) async fn admit(
        &self,
        admitted: Admitted,
        entry: Entry,
        client: Client,
    ) -> Result<Entered> {
        let (id, account, version) = (admitted.account, admitted.account.uuid(), admitted.version);
        let strong = admitted.second_factor;
        let is_new = matches!(entry, Entry::Tokens | Entry::Session { .. });
        let device = self.devices.remember(admitted.device, &admitted.email);
        let (sign_in, entered) = match entry {
            Entry::Tokens | Entry::TokensAnew(_) => {
                let rotated = match entry {
                    Entry::TokensAnew(family) => {
                        self.refresh.renew(family, id, client, strong).await?
                    }
                    _ => self.refresh.begin(id, client, strong).await?,
                };
                let family = rotated.family.uuid();
                let view = SignedInView::of(handed_out(self, rotated)?, device);
                (family, Entered::Tokens(view))
            }
            Entry::Session { before } => {
                let begun = self.sessions.begin(id, client, before, strong).await?;
                (
                    begun.id.uuid(),
                    Entered::Session(SessionEntered { begun, device }),
                )
            }
            Entry::SessionAnew { session, hash } => {
                let begun = self.sessions.renew(session, hash, id, strong).await?;
                (
                    begun.id.uuid(),
                    Entered::Session(SessionEntered { begun, device }),
                )
            }
        };
        if !self.is_still(id, version, strong).await? {
            // Somebody changed the account in the meantime, and did not see this sign-in when they ended the others.
            self.end_sign_in(id, sign_in).await?;
            return Err(Error::unauthorized());
        }
        if is_new
            && admitted.device.is_none()
            && let Ok(email) = Email::parse(admitted.email)
        {
            let client = client.address;
            self.mails.notify(email, Notice::NewDevice { client });
        }
        match (entry, admitted.failures) {
            (Entry::TokensAnew(_) | Entry::SessionAnew { .. }, _) => {
                Event::Reauthenticated { account }.emit();
            }
            (_, 0) => Event::SignedIn { account }.emit(),
            (_, failures) => Event::SignedInAfterFailures { account, failures }.emit(),
        }
        Ok(entered)
    }

    /// The account with this address, if there is one, and which password it has, when that was given and may sign in: the same work
    /// in each case.
    async fn owner(
        &self,
        email: &str,
        place: Place,
        password: Password,
    ) -> Result<(Option<Id<Account>>, Option<u32>)> {
        let found = sql!(
            Login,
            "select id, password_hash, password_version, email_verified_at from palisade_accounts where email = {email}"
        )
        .optional(&self.db)
        .await?;
        let required = self.mails.are_required();
        let may = |login: &&Login| login.email_verified_at.is_some() || !required;
        let version = found
            .as_ref()
            .filter(may)
            .map(|login| login.password_version);
        let (id, hash) = found.map(|login| (login.id, login.password_hash)).unzip();
        let verdict = self
            .passwords
            .verify_in(place, password, hash.clone())
            .await?;
        if let (Some(id), Verdict::Outdated(new)) = (id, &verdict) {
            // Not when the password was changed in the meantime.
            sql!("update palisade_accounts set password_hash = {new} where id = {id} and password_hash = {hash}")
                .execute(&self.db)
                .await?;
        }
        Ok((id, version.filter(|_| !matches!(verdict, Verdict::Wrong))))
    }

    /// Whether the account still asks for no more than was given: this password, with a second factor or without.
    async fn is_still(&self, account: Id<Account>, version: u32, strong: bool) -> Result<bool> {
        let same: i64 = sql!(
            "select count(*) from palisade_accounts a
             where a.id = {account} and a.password_version = {version} and a.disabled_at is null
             and ({strong} or not exists (select 1 from palisade_credentials c where c.account_id = a.id
                                          and c.kind <> 'recovery_code' and c.confirmed_at is not null))"
        )
        .one(&self.db)
        .await?;
        Ok(same > 0)
    }

    fn refused(&self, attempt: &Attempt, account: Option<Id<Account>>) -> Error {
        let account = account.map(|id| id.uuid());
        Event::SignInFailed { account }.emit();
        self.lockout.failed(attempt, account);
        let error = Error::unauthorized();
        // The same for a wrong password: who signed somebody up would else learn whether the address was free.
        if self.mails.are_required() {
            return error.with_detail(
                "the e-mail address or the password is wrong, or the address is not verified yet",
            );
        }
        error.with_detail("the e-mail address or the password is wrong")
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use super::*;
    use crate::auth::MIGRATIONS;
    use crate::config::{self, Sources};
    use crate::db::{Db, DbOptions};
    use crate::secret::Secret;
    use crate::secret::key::Key;

    async fn accounts(folder: &tempfile::TempDir) -> Accounts {
        let url = format!("sqlite:{}/app.sqlite", folder.path().display());
        let key = Key::generate_text();
        let variables = [
            ("PALISADE_ENV", "development"),
            ("DATABASE_URL", &url),
            ("PALISADE_SECRET_KEY", key.expose()),
        ];
        let loaded = config::load::<()>(&Sources::new(folder.path(), variables));
        let config = loaded.config.expect("settings");
        let db = Db::open(DbOptions {
            url: Secret::new(url),
            cursor_key: Key::generate(),
        });
        let db = db.await.expect("a database");
        MIGRATIONS.run(&db).await.expect("migrated");
        Accounts::new(&config, Vec::new(), db).expect("accounts")
    }

    /// What a sign-in that is under way finds when it has begun: the account as others have left it.
    #[tokio::test]
    async fn ends_when_the_account_asks_for_more_than_was_given() {
        let folder = tempfile::tempdir().expect("a folder");
        let accounts = accounts(&folder).await;
        let (id, now) = (Id::<Account>::new(), OffsetDateTime::now_utc());
        sql!("insert into palisade_accounts (id, email, password_hash, created_at) values ({id}, {\"ann@example.org\"}, {\"!\"}, {now})")
            .execute(&accounts.db)
            .await
            .expect("written");
        let still = async |version, strong| {
            let still = accounts.is_still(id, version, strong);
            still.await.expect("asked")
        };
        assert!(still(0, false).await && !still(1, false).await);
        let confirm = async |kind: &str| {
            let credential = Id::<Account>::new();
            sql!("insert into palisade_credentials (id, account_id, kind, counter, created_at, confirmed_at) values ({credential}, {id}, {kind}, 0, {now}, {now})")
                .execute(&accounts.db)
                .await
                .expect("written");
        };
        confirm("recovery_code").await;
        assert!(still(0, false).await);
        confirm("totp").await;
        assert!(!still(0, false).await && still(0, true).await);
        sql!("update palisade_accounts set disabled_at = {now} where id = {id}")
            .execute(&accounts.db)
            .await
            .expect("written");
        assert!(!still(0, true).await);
    }
}
