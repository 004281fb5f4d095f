//! A service for programs: they come with API keys, each for what its scopes say, and place orders that are done once.

mod orders;

use palisade::prelude::*;

/// The settings of this service beside the framework's own.
#[settings]
struct Settings {}

#[palisade::main]
async fn main() -> Result<App, Refusal> {
    App::from_env::<Settings>()?
        .migrations(migrations!("migrations"))
        // People sign up and in, and make the keys of their programs.
        .routes(auth::routes())
        .routes(auth::api_key_routes())
        .routes(orders::routes())
        .build()
}
