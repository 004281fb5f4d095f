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
use super::routes::{Entered, SignedInView, handed_out};
use crate::access::{Account, Id};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::input::Password;
use palisade_macros::{row, sql};

/// What somebody proves himself for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Entry {
    /// Tokens of a new sign-in.
    Tokens,
    /// Tokens in the place of those of this sign-in, which ends.
    TokensAnew(Id<Family>),
}

/// Somebody whose password was right.
///
/// # Security
/// [`Accounts::prove`] makes it, and [`Accounts::enter`] takes it, so whoever is let in has passed both.
pub(super) struct Proved {
    pub(super) account: Id<Account>,
    email: String,
    device: Option<Device>,
    /// Tries of this account, or this device, that failed before.
    failures: u64,
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
        let account = match found {
            (Some(id), true) => id,
            (account, _) => return Err(self.refused(&attempt, account)),
        };
        let failures = attempt.failures;
        self.lockout.succeeded(attempt).await?;
        Ok(Proved {
            account,
            email: email.to_owned(),
            device,
            failures,
        })
    }

    /// Lets in whose password was right. What an account asks for beyond its password is asked here, before anything is begun.
    ///
    /// # Errors
    /// 401 when the sign-in that is to be renewed has ended.
    pub(super) async fn enter(
        &self,
        proved: Proved,
        entry: Entry,
        client: Client,
    ) -> Result<Entered> {
        let (id, account) = (proved.account, proved.account.uuid());
        let rotated = match entry {
            Entry::Tokens => {
                let rotated = self.refresh.begin(id, client).await?;
                match proved.failures {
                    0 => Event::SignedIn { account }.emit(),
                    failures => Event::SignedInAfterFailures { account, failures }.emit(),
                }
                rotated
            }
            Entry::TokensAnew(family) => {
                let rotated = self.refresh.renew(family, id, client).await?;
                Event::Reauthenticated { account }.emit();
                rotated
            }
        };
        let device_token = self.devices.remember(proved.device, &proved.email);
        let tokens = handed_out(self, rotated)?;
        Ok(Entered::Tokens(SignedInView::of(tokens, device_token)))
    }

    /// The account with this address, if there is one, and whether the password is its own: the same work in each case.
    async fn owner(
        &self,
        email: &str,
        place: Place,
        password: Password,
    ) -> Result<(Option<Id<Account>>, bool)> {
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
        if let (Some(id), Verdict::Outdated(new)) = (id, &verdict) {
            // Not when the password was changed in the meantime.
            sql!("update palisade_accounts set password_hash = {new} where id = {id} and password_hash = {hash}")
                .execute(&self.db)
                .await?;
        }
        Ok((id, !matches!(verdict, Verdict::Wrong)))
    }

    fn refused(&self, attempt: &Attempt, account: Option<Id<Account>>) -> Error {
        let account = account.map(|id| id.uuid());
        Event::SignInFailed { account }.emit();
        self.lockout.failed(attempt, account);
        Error::unauthorized().with_detail("the e-mail address or the password is wrong")
    }
}
