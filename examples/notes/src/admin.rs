//! What an administrator may do.

use palisade::endpoint::Routes;
use palisade::prelude::*;

/// To see and manage every account.
pub(crate) struct ManageAccounts;

impl Permission for ManageAccounts {
    const NAME: &'static str = "accounts.manage";
}

#[resource(
    table = "palisade_accounts",
    unowned = "the framework's table; an account belongs to itself"
)]
struct AccountRow {
    id: Id<AccountRow>,
    email: String,
    created_at: Timestamp,
}

/// What an administrator sees of an account.
#[output(from = AccountRow)]
struct AccountView {
    id: Id<AccountRow>,
    email: String,
    created_at: Timestamp,
}

#[get("/admin/accounts")]
async fn accounts(
    _: Can<ManageAccounts>,
    db: ReadDb,
    page: PageRequest,
) -> Result<Page<AccountView>> {
    let accounts: Page<AccountRow> = sql!("select id, email, created_at from palisade_accounts")
        .page(&page, &db)
        .await?;
    Ok(accounts.map(AccountView::from))
}

pub(crate) fn routes() -> Routes {
    routes![accounts]
}
