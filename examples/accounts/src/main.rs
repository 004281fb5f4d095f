//! Accounts for people at a browser: sessions, a second factor, mails, and a small page over the ready routes.

mod page;
mod profile;

use palisade::prelude::*;

/// The settings of this service beside the framework's own.
#[settings]
struct Settings {}

#[palisade::main]
async fn main() -> Result<App, Refusal> {
    App::from_env::<Settings>()?
        .migrations(migrations!("migrations"))
        .routes(auth::routes())
        .routes(page::routes())
        .routes(profile::routes())
        .build()
}
