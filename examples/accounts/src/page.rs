//! The page: HTML that stands in the code, under each path that a mail leads to.

use palisade::endpoint::Routes;
use palisade::prelude::*;

static PAGE: StaticPage = StaticPage::new(include_str!("page.html"));

#[get("/")]
async fn front(_: Public) -> Result<&'static StaticPage> {
    Ok(&PAGE)
}

#[get("/verify")]
async fn verify(_: Public) -> Result<&'static StaticPage> {
    Ok(&PAGE)
}

#[get("/reset")]
async fn reset(_: Public) -> Result<&'static StaticPage> {
    Ok(&PAGE)
}

#[get("/email")]
async fn email(_: Public) -> Result<&'static StaticPage> {
    Ok(&PAGE)
}

#[get("/email-cancel")]
async fn email_cancel(_: Public) -> Result<&'static StaticPage> {
    Ok(&PAGE)
}

pub(crate) fn routes() -> Routes {
    routes![front, verify, reset, email, email_cancel]
}
