//! Wrong codes of a second factor: counted like passwords, apart from them, and remembered for longer.

use super::{Attempt, Lockout, Scope};
use crate::access::{Account, Id};
use crate::auth::client::Client;
use crate::auth::device::Device;
use crate::error::Result;

impl Lockout {
    /// Counts a code of an account's second factor, as [`begin`](Self::begin) does a password.
    ///
    /// # Errors
    /// 429 when wrong codes before it make it wait.
    pub(in crate::auth) async fn begin_code(
        &self,
        account: Id<Account>,
        client: Client,
        device: Option<Device>,
    ) -> Result<Attempt> {
        if let Some(device) = device {
            let scopes = [(Scope::SecondFactor, self.code_of_device(account, device))];
            if let Ok(attempt) = self.count(&scopes).await? {
                return Ok(attempt);
            }
        }
        let scopes = [
            (Scope::SecondFactor, self.code(account)),
            (Scope::Address, client.mark(&self.0.key)),
            (Scope::Network, self.network(client.address)),
        ];
        let counted = self.count(&scopes).await?;
        counted.map_err(|blocked| {
            blocked.error("too many codes were wrong: wait, or use a recovery code")
        })
    }

    /// Counts a recovery code: by where it comes from alone, since nobody can guess one, and its owner must not be locked out of it.
    ///
    /// # Errors
    /// 429 when failures before it make it wait.
    pub(in crate::auth) async fn begin_recovery(
        &self,
        client: Client,
        device: Option<Device>,
    ) -> Result<Attempt> {
        let scopes = [
            (Scope::Address, client.mark(&self.0.key)),
            (Scope::Network, self.network(client.address)),
        ];
        let scopes = if device.is_some() { &[] } else { &scopes[..] };
        let counted = self.count(scopes).await?;
        counted.map_err(|blocked| blocked.error("too many sign-ins failed: wait, then try again"))
    }

    /// Forgets the wrong passwords of who gave his second factor too.
    pub(in crate::auth) async fn forget(&self, email: &str, device: Option<Device>) -> Result<()> {
        match device {
            Some(device) => self.forget_key(&self.0.db, self.device(device)).await,
            None => self.unlock(email).await,
        }
    }

    fn code(&self, account: Id<Account>) -> [u8; 32] {
        let account = account.uuid();
        self.0
            .key
            .sign(&[b"second factor ", account.as_bytes().as_slice()].concat())
    }

    /// Of this account too: a device is known to one alone.
    fn code_of_device(&self, account: Id<Account>, Device(number): Device) -> [u8; 32] {
        let account = account.uuid();
        let text: [&[u8]; 3] = [b"second factor device ", account.as_bytes(), &number];
        self.0.key.sign(&text.concat())
    }
}
