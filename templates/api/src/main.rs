//! The app put together: settings, migrations, routes.

mod notes;

use palisade::prelude::*;

/// Settings of this service, read from `[app]` in palisade.toml and from `PALISADE_APP__…`.
#[settings]
struct Settings {}

#[palisade::main]
async fn main() -> Result<App, Refusal> {
    App::from_env::<Settings>()?
        .migrations(migrations!("migrations"))
        .routes(auth::routes())
        .routes(notes::routes())
        .build()
}
