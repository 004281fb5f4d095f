//! The one way in: a password that is right, and then what it was given for. Tokens, sessions and proving oneself again share it.
//!
//! Follows NIST SP 800-63B-4, section 3.2, and OWASP ASVS 5.0, sections 6.3, 7.2.4 and 7.5.

use super::accounts::Accounts;
use super::client::Client;
use super::device::Device;
use super::lockout::Attempt;
use super::password::{PasswordHash, Place, Verdict};
use super::presented::Presented;
use super::refresh::Family;
use super::routes::{Entered, SessionEntered, SignedInView, handed_out};
use super::second_factor::Sealed;
use super::session::{Current, Session};
use crate::access::{Account, Id};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::input::Password;
use palisade_macros::{row, sql};

/// What somebody proves himself for.
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
    version: [u8; 16],
}

/// Somebody who gave all that the account asks for.
pub(super) struct Admitted {
    pub(super) account: Id<Account>,
    pub(super) email: String,
    pub(super) device: Option<Device>,
    /// Tries of this account, or this device, that failed before.
    pub(super) failures: u64,
    pub(super) second_factor: bool,
}

#[row]
struct Login {
    id: Id<Account>,
    password_hash: PasswordHash,
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
            (Some(id), Some(hash)) => (id, hash.version()),
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
        let (id, account) = (admitted.account, admitted.account.uuid());
        let strong = admitted.second_factor;
        let device = self.devices.remember(admitted.device, &admitted.email);
        let entered = match entry {
            Entry::Tokens => {
                let rotated = self.refresh.begin(id, client, strong).await?;
                Entered::Tokens(SignedInView::of(handed_out(self, rotated)?, device))
            }
            Entry::TokensAnew(family) => {
                let rotated = self.refresh.renew(family, id, client, strong).await?;
                Entered::Tokens(SignedInView::of(handed_out(self, rotated)?, device))
            }
            Entry::Session { before } => {
                let begun = self.sessions.begin(id, client, before, strong).await?;
                Entered::Session(SessionEntered { begun, device })
            }
            Entry::SessionAnew { session, hash } => {
                let begun = self.sessions.renew(session, hash, id, strong).await?;
                Entered::Session(SessionEntered { begun, device })
            }
        };
        match (entry, admitted.failures) {
            (Entry::TokensAnew(_) | Entry::SessionAnew { .. }, _) => {
                Event::Reauthenticated { account }.emit();
            }
            (_, 0) => Event::SignedIn { account }.emit(),
            (_, failures) => Event::SignedInAfterFailures { account, failures }.emit(),
        }
        Ok(entered)
    }

    /// The account with this address, if there is one, and what is kept of the password, if it is its own: the same work in each case.
    async fn owner(
        &self,
        email: &str,
        place: Place,
        password: Password,
    ) -> Result<(Option<Id<Account>>, Option<PasswordHash>)> {
        let found = sql!(
            Login,
            "select id, password_hash from palisade_accounts where email = {email}"
        )
        .optional(&self.db)
        .await?;
        let (id, hash) = found.map(|login| (login.id, login.password_hash)).unzip();
        let verdict = self
            .passwords
            .verify_in(place, password, hash.clone())
            .await?;
        let kept = match (id, verdict) {
            (_, Verdict::Wrong) => None,
            (Some(id), Verdict::Outdated(new)) => {
                // Not when the password was changed in the meantime.
                sql!("update palisade_accounts set password_hash = {new} where id = {id} and password_hash = {hash}")
                    .execute(&self.db)
                    .await?;
                Some(new)
            }
            (_, Verdict::Right | Verdict::Outdated(_)) => hash,
        };
        Ok((id, kept))
    }

    fn refused(&self, attempt: &Attempt, account: Option<Id<Account>>) -> Error {
        let account = account.map(|id| id.uuid());
        Event::SignInFailed { account }.emit();
        self.lockout.failed(attempt, account);
        Error::unauthorized().with_detail("the e-mail address or the password is wrong")
    }
}
