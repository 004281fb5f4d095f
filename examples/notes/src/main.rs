//! Notes: accounts, notes that belong to one and are shared with others, an administrator.

mod admin;
mod notes;

use palisade::prelude::*;

/// The settings of this service beside the framework's own.
#[settings]
struct Settings {}

#[palisade::main]
async fn main() -> Result<App, Refusal> {
    App::from_env::<Settings>()?
        .migrations(migrations!("migrations"))
        .role(Role::new("admin").may::<admin::ManageAccounts>())
        .routes(auth::routes())
        .routes(notes::routes())
        .routes(admin::routes())
        .build()
}
