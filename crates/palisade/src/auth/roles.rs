//! Who has which role, and the changes of it: granted, revoked, disabled, with one administrator left in every case.
//!
//! Follows OWASP ASVS 5.0, sections 8.2 and 8.3: the rules are the server's, and a change of them counts at once.

use time::OffsetDateTime;

use super::Accounts;
use crate::access::{Account, Actor, Id, Permission, Role};
use crate::db::{ReadDb, Reading, Runs, Tx};
use crate::error::{Error, Result};
use crate::event::Event;
use palisade_macros::{permissions, row, sql};

/// Roles of one account that are looked at; an app knows fewer.
const MOST: u16 = 1000;

permissions! {
    /// To see every account, to give and take roles, to disable and to delete: what `auth::admin_routes()` asks for.
    ///
    /// The framework keeps one account that has it, as soon as one does.
    pub ManageAccounts = "accounts.manage";
}

/// Who asks for a change.
#[derive(Debug)]
pub(super) enum By {
    /// The app's own code, or whoever has the machine.
    Code,
    /// An administrator, who manages nobody that may do more than this very sign-in allows.
    Account(Actor),
}

/// What one account has.
#[row]
struct HeldRole {
    role: Option<String>,
    disabled_at: Option<OffsetDateTime>,
}

/// An account as a change finds it, in its turn.
pub(super) struct Managed {
    roles: Vec<Role>,
    is_disabled: bool,
}

impl Managed {
    fn may(&self, permission: &str) -> bool {
        self.roles.iter().any(|role| role.carries(permission))
    }

    fn has(&self, role: &Role) -> bool {
        self.roles.iter().any(|own| own.name() == role.name())
    }
}

impl Accounts {
    /// Gives an account a role; tells whether it did not have it before. It counts at once, and an event says so.
    ///
    /// # Errors
    /// 404 when there is no such account, 500 when the app was not told of the role.
    ///
    /// # Security
    /// It asks nobody: the handler's guard says who may call it. The ready routes also refuse to give what the caller lacks.
    pub async fn grant(&self, account: Id<Account>, role: Role) -> Result<bool> {
        self.change(By::Code, account, role, true).await
    }

    /// Takes a role away; tells whether the account had it. It counts at once, and an event says so.
    ///
    /// # Errors
    /// 404 when there is no such account, 409 when nobody would be left who may manage accounts, 500 when the app was not
    /// told of the role.
    pub async fn revoke_role(&self, account: Id<Account>, role: Role) -> Result<bool> {
        self.change(By::Code, account, role, false).await
    }

    /// The account with this address.
    pub(crate) async fn find(&self, email: &str) -> Result<Option<Id<Account>>> {
        let email = email.trim().to_ascii_lowercase();
        sql!("select id from palisade_accounts where email = {email}")
            .optional(&self.db)
            .await
    }

    /// The roles of an account that the app knows.
    ///
    /// # Errors
    /// 404 when there is no such account, 500 or 503 when the database fails.
    pub async fn roles_of(&self, account: Id<Account>) -> Result<Vec<Role>> {
        let standing = self.standing_of(&self.db, account).await?;
        Ok(standing.ok_or_else(Error::not_found)?.roles)
    }

    /// Disables an account, or enables it again; tells whether that changed anything. Every sign-in of a disabled account
    /// ends, and no new one begins.
    ///
    /// # Errors
    /// 404 when there is no such account, 409 when nobody would be left who may manage accounts.
    pub async fn set_disabled(&self, account: Id<Account>, disabled: bool) -> Result<bool> {
        self.disable(By::Code, account, disabled).await
    }

    /// The app's role with this name.
    pub(crate) fn role(&self, name: &str) -> Option<Role> {
        self.roles.iter().find(|role| role.name() == name).copied()
    }

    /// Every role of the app.
    pub(crate) fn roles(&self) -> &[Role] {
        &self.roles
    }

    pub(super) async fn change(
        &self,
        by: By,
        account: Id<Account>,
        role: Role,
        grant: bool,
    ) -> Result<bool> {
        if self.role(role.name()).is_none() {
            return Err(Error::internal()
                .caused_by("the role is none of the app's: add `.role(…)` where it is built"));
        }
        let tx = self.turn().await?;
        let standing = self.managed(&tx, by, account, &[role]).await?;
        if standing.has(&role) == grant {
            return Ok(false);
        }
        let name = role.name();
        if grant {
            sql!(
                "insert into palisade_account_roles (account_id, role) values ({account}, {name})"
            )
            .execute(&tx)
            .await?;
        } else {
            sql!(
                "delete from palisade_account_roles where account_id = {account} and role = {name}"
            )
            .execute(&tx)
            .await?;
            self.keep_one_administrator(&tx, &standing).await?;
        }
        tx.commit().await?;
        self.forget(account);
        Event::PrivilegesChanged {
            account: account.uuid(),
            action: if grant { "grant" } else { "revoke" },
            role: name,
        }
        .emit();
        Ok(true)
    }

    pub(super) async fn disable(
        &self,
        by: By,
        account: Id<Account>,
        disabled: bool,
    ) -> Result<bool> {
        let tx = self.turn().await?;
        let standing = self.managed(&tx, by, account, &[]).await?;
        if standing.is_disabled == disabled {
            return Ok(false);
        }
        let since = disabled.then(OffsetDateTime::now_utc);
        sql!("update palisade_accounts set disabled_at = {since} where id = {account}")
            .execute(&tx)
            .await?;
        if disabled {
            self.end_elsewhere(&tx, account, None).await?;
            self.keep_one_administrator(&tx, &standing).await?;
        }
        tx.commit().await?;
        self.forget(account);
        if disabled {
            // What began while this was being written.
            self.sign_out_everywhere(account).await?;
        }
        let action = if disabled { "disable" } else { "enable" };
        administered(account, action);
        Ok(true)
    }

    /// Forgets the failed sign-ins of an account.
    pub(super) async fn unlock_by(&self, by: By, account: Id<Account>) -> Result<()> {
        self.may_manage(by, account).await?;
        let email: Option<String> =
            sql!("select email from palisade_accounts where id = {account}")
                .optional(&self.db)
                .await?;
        let email = email.ok_or_else(Error::not_found)?;
        self.lockout.unlock(&email).await
    }

    /// Looks whether who asks may change this account, for what takes no turn.
    ///
    /// # Errors
    /// 404 when it is not there, 403 when they may not.
    pub(super) async fn may_manage(&self, by: By, account: Id<Account>) -> Result<()> {
        self.managed(&self.db, by, account, &[]).await.map(drop)
    }

    /// A transaction in which nobody else changes who may administer.
    pub(super) async fn turn(&self) -> Result<Tx> {
        let tx = self.db.begin().await?;
        // SQLite has one writer; PostgreSQL holds the row until the end, and what is read after this is what others left.
        let now = OffsetDateTime::now_utc();
        sql!("update palisade_administration set changed_at = {now} where id = 1")
            .execute(&tx)
            .await?;
        Ok(tx)
    }

    /// The account, after a look whether who asks may change it, or give and take these roles.
    ///
    /// # Errors
    /// 404 when it is not there, 403 when who asks may no longer manage accounts, or may do less than what is at stake.
    pub(super) async fn managed(
        &self,
        db: &impl Runs<Reading>,
        by: By,
        account: Id<Account>,
        roles: &[Role],
    ) -> Result<Managed> {
        let standing = self.standing_of(db, account).await?;
        let By::Account(by) = by else {
            return standing.ok_or_else(Error::not_found);
        };
        // As it stands now: another administrator may have had the turn before.
        let own = self.standing_of(db, by.id()).await?;
        let own = own.filter(|own| !own.is_disabled && own.may(ManageAccounts::NAME));
        let own = own.ok_or_else(Error::forbidden)?;
        let standing = standing.ok_or_else(Error::not_found)?;
        let whole: Vec<Role> = match roles {
            [] => standing.roles.clone(),
            roles => roles.to_vec(),
        };
        let mut at_stake = whole.iter().flat_map(Role::permissions);
        // The roles alone would count what they give with a second factor, which this sign-in may lack.
        if at_stake.all(|permission| own.may(permission) && by.has(permission)) {
            Ok(standing)
        } else {
            Err(Error::forbidden().with_detail("nobody manages what they may not do themselves"))
        }
    }

    /// Looks, after a change, that somebody may still manage accounts, where somebody could before.
    ///
    /// # Errors
    /// 409 when nobody may.
    pub(super) async fn keep_one_administrator(&self, tx: &Tx, before: &Managed) -> Result<()> {
        if before.is_disabled || !before.may(ManageAccounts::NAME) {
            return Ok(());
        }
        let carriers = self
            .roles
            .iter()
            .filter(|role| role.carries(ManageAccounts::NAME));
        let carriers: Vec<&str> = carriers.map(Role::name).collect();
        let left: i64 = sql!(
            "select count(*) from palisade_account_roles r join palisade_accounts a on a.id = r.account_id
             where a.disabled_at is null and r.role in ({..carriers})"
        )
        .one(tx)
        .await?;
        if left == 0 {
            return Err(Error::conflict(
                "this is the last account that may manage accounts: give another one a role for it first",
            ));
        }
        Ok(())
    }

    async fn standing_of(
        &self,
        db: &impl Runs<Reading>,
        account: Id<Account>,
    ) -> Result<Option<Managed>> {
        let held = sql!(
            HeldRole,
            "select r.role as role, a.disabled_at from palisade_accounts a
             left join palisade_account_roles r on r.account_id = a.id where a.id = {account}"
        );
        let held = held.at_most(MOST, db).await?;
        let Some(first) = held.first() else {
            return Ok(None);
        };
        let is_disabled = first.disabled_at.is_some();
        let names = held.iter().filter_map(|held| held.role.as_deref());
        let roles = names.filter_map(|name| self.role(name)).collect();
        Ok(Some(Managed { roles, is_disabled }))
    }
}

/// An administrator did this to an account.
pub(super) fn administered(account: Id<Account>, action: &'static str) {
    Event::AccountAdministered {
        account: account.uuid(),
        action,
    }
    .emit();
}

/// Roles that the database gives to somebody and the code does not know.
pub(crate) async fn unknown_roles(db: &ReadDb, known: &[Role]) -> Result<Vec<String>> {
    let held: Vec<String> = sql!("select distinct role from palisade_account_roles order by role")
        .at_most(MOST, db)
        .await?;
    Ok(held
        .into_iter()
        .filter(|name| !known.iter().any(|role| role.name() == name))
        .collect())
}

/// A sign-in that does not begin: the account is disabled.
pub(super) fn disabled() -> Error {
    Error::forbidden().with_detail("this account is disabled")
}
