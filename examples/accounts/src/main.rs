//! Accounts for people at a browser: a small page over the ready routes.

use palisade::prelude::*;

#[settings]
struct Settings {}

static PAGE: StaticPage = StaticPage::new(include_str!("page.html"));

#[get("/")]
async fn page(_: Public) -> Result<&'static StaticPage> {
    Ok(&PAGE)
}

#[palisade::main]
async fn main() -> Result<App, Refusal> {
    App::from_env::<Settings>()?
        .routes(routes![page])
        .routes(auth::routes())
        .build()
}
