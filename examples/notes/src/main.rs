//! Notes: accounts, notes that belong to one and are shared with others, an administrator.

mod notes;

use palisade::prelude::*;

/// The settings of this service beside the framework's own.
#[settings]
struct Settings {}

/// Who manages accounts; `notes grant admin ann@example.org` makes the first one.
const ADMIN: Role = Role::new("admin").may::<auth::ManageAccounts>();

#[palisade::main]
async fn main() -> Result<App, Refusal> {
    App::from_env::<Settings>()?
        .migrations(migrations!("migrations"))
        .role(ADMIN)
        .routes(auth::routes())
        .routes(auth::admin_routes())
        .routes(notes::routes())
        .build()
}
