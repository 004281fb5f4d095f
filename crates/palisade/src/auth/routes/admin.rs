//! What an administrator does with accounts and their roles.

use crate::access::{Account, Can, Fresh, Id, Ref, Role};
use crate::auth::roles::{By, administered};
use crate::auth::{Accounts, ManageAccounts};
use crate::db::{Page, PageRequest, ReadDb};
use crate::error::{Error, Result};
use crate::input::{Argument, Email, Incoming, Json, Path, Query, Text, Timestamp};
use crate::output::NoContent;
use palisade_macros::{delete, get, input, output, post, put, resource, row, sql};

/// Which accounts are listed.
#[input]
pub(crate) struct Search {
    email: Option<Email>,
}

#[resource(
    table = "palisade_accounts",
    unowned = "an account belongs to itself, and only administrators list them"
)]
struct AccountRow {
    id: Id<AccountRow>,
    email: String,
    created_at: Timestamp,
    disabled_at: Option<Timestamp>,
}

/// An account in a list.
#[output(from = AccountRow)]
pub(crate) struct AccountView {
    id: Id<AccountRow>,
    email: String,
    created_at: Timestamp,
    disabled_at: Option<Timestamp>,
}

/// An account with what an administrator wants to know of it.
#[output]
pub(crate) struct WholeAccount {
    id: Id<Account>,
    email: String,
    created_at: Timestamp,
    disabled_at: Option<Timestamp>,
    roles: Vec<String>,
    /// Sign-ins that have not ended.
    sign_ins: i64,
}

#[row]
struct Found {
    email: String,
    created_at: Timestamp,
    disabled_at: Option<Timestamp>,
    sign_ins: i64,
}

/// A role, and what it allows.
#[output]
pub(crate) struct RoleView {
    name: &'static str,
    permissions: Vec<&'static str>,
}

/// Every role of the app.
#[output]
pub(crate) struct RolesView {
    roles: Vec<RoleView>,
}

/// The roles alone: a `GET` handler gets nothing that writes.
pub(crate) struct Roles(Vec<Role>);

impl Argument for Roles {
    async fn take(incoming: &mut Incoming) -> Result<Self> {
        let accounts: Accounts = incoming.own()?;
        Ok(Self(accounts.roles().to_vec()))
    }
}

#[get("/auth/admin/accounts", limit = "auth")]
pub(super) async fn accounts(
    _: Can<ManageAccounts>,
    db: ReadDb,
    Query(search): Query<Search>,
    page: PageRequest,
) -> Result<Page<AccountView>> {
    let email = search.email.map(|email| super::address(&email));
    let page: Page<AccountRow> = sql!(
        "select id, email, created_at, disabled_at from palisade_accounts
         where email = {email} or {email.is_none()}"
    )
    .page(&page, &db)
    .await?;
    Ok(page.map(AccountView::from))
}

#[get("/auth/admin/accounts/{account}", limit = "auth")]
pub(super) async fn account(
    _: Can<ManageAccounts>,
    db: ReadDb,
    Path(account): Path<Ref<Account>>,
) -> Result<Json<WholeAccount>> {
    let id = account.allowed();
    let found = sql!(
        Found,
        "select a.email, a.created_at, a.disabled_at,
         (select count(*) from palisade_sessions s where s.account_id = a.id) + (select count(*) from palisade_token_families f where f.account_id = a.id) as sign_ins
         from palisade_accounts a where a.id = {id}"
    );
    let found = found.optional(&db).await?.ok_or_else(Error::not_found)?;
    let roles =
        sql!("select role from palisade_account_roles where account_id = {id} order by role")
            .at_most(1000, &db)
            .await?;
    Ok(Json(WholeAccount {
        id,
        email: found.email,
        created_at: found.created_at,
        disabled_at: found.disabled_at,
        roles,
        sign_ins: found.sign_ins,
    }))
}

#[get("/auth/admin/roles", limit = "auth")]
pub(super) async fn roles(_: Can<ManageAccounts>, roles: Roles) -> Result<Json<RolesView>> {
    let view = |role: &Role| RoleView {
        name: role.name(),
        permissions: role.permissions().collect(),
    };
    let roles = roles.0.iter().map(view).collect();
    Ok(Json(RolesView { roles }))
}

/// The role of a path: what the app does not know is not there.
fn named(accounts: &Accounts, name: &Text<1, 64>) -> Result<Role> {
    accounts.role(name).ok_or_else(Error::not_found)
}

#[put("/auth/admin/accounts/{account}/roles/{role}", limit = "auth")]
pub(super) async fn grant(
    by: Can<ManageAccounts>,
    _: Fresh,
    accounts: Accounts,
    Path(account): Path<Ref<Account>>,
    Path(role): Path<Text<1, 64>>,
) -> Result<NoContent> {
    let (role, by) = (named(&accounts, &role)?, By::Account(by.actor().clone()));
    accounts.change(by, account.allowed(), role, true).await?;
    Ok(NoContent)
}

#[delete("/auth/admin/accounts/{account}/roles/{role}", limit = "auth")]
pub(super) async fn revoke(
    by: Can<ManageAccounts>,
    _: Fresh,
    accounts: Accounts,
    Path(account): Path<Ref<Account>>,
    Path(role): Path<Text<1, 64>>,
) -> Result<NoContent> {
    let (role, by) = (named(&accounts, &role)?, By::Account(by.actor().clone()));
    accounts.change(by, account.allowed(), role, false).await?;
    Ok(NoContent)
}

#[post("/auth/admin/accounts/{account}/disable", limit = "auth")]
pub(super) async fn disable(
    by: Can<ManageAccounts>,
    _: Fresh,
    accounts: Accounts,
    Path(account): Path<Ref<Account>>,
) -> Result<NoContent> {
    let by = By::Account(by.actor().clone());
    accounts.disable(by, account.allowed(), true).await?;
    Ok(NoContent)
}

#[post("/auth/admin/accounts/{account}/enable", limit = "auth")]
pub(super) async fn enable(
    by: Can<ManageAccounts>,
    _: Fresh,
    accounts: Accounts,
    Path(account): Path<Ref<Account>>,
) -> Result<NoContent> {
    let by = By::Account(by.actor().clone());
    accounts.disable(by, account.allowed(), false).await?;
    Ok(NoContent)
}

/// Forgets failed sign-ins, so that who is locked out need not wait.
#[post("/auth/admin/accounts/{account}/unlock", limit = "auth")]
pub(super) async fn unlock(
    by: Can<ManageAccounts>,
    _: Fresh,
    accounts: Accounts,
    Path(account): Path<Ref<Account>>,
) -> Result<NoContent> {
    let by = By::Account(by.actor().clone());
    accounts.unlock_by(by, account.allowed()).await?;
    administered(account.allowed(), "unlock");
    Ok(NoContent)
}

/// Ends every sign-in, as when a device was lost.
#[post("/auth/admin/accounts/{account}/sign-out", limit = "auth")]
pub(super) async fn sign_out(
    by: Can<ManageAccounts>,
    _: Fresh,
    accounts: Accounts,
    Path(account): Path<Ref<Account>>,
) -> Result<NoContent> {
    let by = By::Account(by.actor().clone());
    let account = account.allowed();
    accounts.may_manage(by, account).await?;
    accounts.sign_out_everywhere(account).await?;
    administered(account, "sign-out");
    Ok(NoContent)
}

#[delete("/auth/admin/accounts/{account}", limit = "auth")]
pub(super) async fn delete(
    by: Can<ManageAccounts>,
    _: Fresh,
    accounts: Accounts,
    Path(account): Path<Ref<Account>>,
) -> Result<NoContent> {
    let by = By::Account(by.actor().clone());
    accounts.delete_by(by, account.allowed()).await?;
    Ok(NoContent)
}
