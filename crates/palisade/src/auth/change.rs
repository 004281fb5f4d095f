//! Changes of what an account proves itself by: the password asked for again, and the sign-ins that end with it.

use super::Accounts;
use super::client::Client;
use super::mails::{Notice, Owner};
use super::password::Verdict;
use super::presented::Presented;
use super::routes::address;
use crate::access::{Account, Id};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::input::{Email, Password};
use palisade_macros::sql;

impl Accounts {
    /// Tells the owner of an account by mail what happened to it; nobody waits for it.
    ///
    /// # Errors
    /// 500 or 503 when the database fails.
    pub async fn notify(&self, account: Id<Account>, notice: Notice) -> Result<()> {
        let email: Option<String> =
            sql!("select email from palisade_accounts where id = {account}")
                .optional(&self.db)
                .await?;
        if let Some(email) = email.and_then(|email| Email::parse(email).ok()) {
            self.mails.notify(email, notice);
        }
        Ok(())
    }

    /// The account of somebody who is signed in, when the password is its own: whoever found an open browser has no password.
    ///
    /// # Errors
    /// 403 when it is not, 429 when failures before it make it wait: both are counted with those of sign-in.
    pub(super) async fn proved(
        &self,
        account: Id<Account>,
        client: Client,
        password: Password,
        device: Option<&Presented>,
    ) -> Result<Owner> {
        let place = self.passwords.enter()?;
        let owner = sql!(
            Owner,
            "select id, email, password_hash, email_verified_at from palisade_accounts where id = {account}"
        );
        let owner = owner.optional(&self.db).await?;
        let owner = owner.ok_or_else(Error::unauthorized)?;
        let email = address(&owner.email);
        let device = device.and_then(|token| self.devices.known(token, &email));
        let attempt = self.lockout.begin(&email, client, device).await?;
        let hash = Some(owner.password_hash.clone());
        match self.passwords.verify_in(place, password, hash).await {
            Ok(Verdict::Right | Verdict::Outdated(_)) => {}
            Ok(Verdict::Wrong) => {
                let account = account.uuid();
                Event::PasswordChangeFailed { account }.emit();
                self.lockout.failed(&attempt, Some(account));
                return Err(Error::forbidden().with_detail("the password is wrong"));
            }
            Err(error) => {
                self.lockout.undo(attempt).await?;
                return Err(error);
            }
        }
        self.lockout.succeeded(attempt).await?;
        Ok(owner)
    }
}
