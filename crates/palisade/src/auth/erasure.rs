//! An account is deleted, with everything that belongs to it: all of it, or nothing.

use super::Accounts;
use super::roles::By;
use crate::access::{Account, Id};
use crate::db::erase;
use crate::error::Result;
use crate::event::Event;
use palisade_macros::sql;

impl Accounts {
    /// Deletes an account in one transaction: the rows of every `#[resource]` that it owns are removed or detached, as each says, and
    /// then the account itself, its roles and its sign-ins.
    ///
    /// # Errors
    /// 404 when there is no such account, 409 when nobody would be left who may manage accounts, 500 or 503 when the database
    /// fails; nothing is deleted then.
    ///
    /// # Security
    /// It asks nobody: the handler's guard says who may call it. What the app keeps elsewhere, in files or at other services,
    /// is the app's to remove.
    pub async fn delete(&self, account: Id<Account>) -> Result<()> {
        self.delete_by(By::Code, account).await
    }

    pub(super) async fn delete_by(&self, by: By, account: Id<Account>) -> Result<()> {
        let tx = self.turn().await?;
        let standing = self.managed(&tx, by, account, &[]).await?;
        erase(&tx, account.uuid()).await?;
        // Its roles, sign-ins and whatever else refers to it go with it.
        sql!("delete from palisade_accounts where id = {account}")
            .execute(&tx)
            .await?;
        self.keep_one_administrator(&tx, &standing).await?;
        tx.commit().await?;
        self.forget(account);
        Event::AccountDeleted {
            account: account.uuid(),
        }
        .emit();
        Ok(())
    }
}
