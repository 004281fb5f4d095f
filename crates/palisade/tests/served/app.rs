//! A small app with a handler for each thing that can go wrong.

use std::time::Duration;

use palisade::access::Guard;
use palisade::db::{Migration, Migrations};
use palisade::input::{Argument, Incoming};
use palisade::prelude::*;

pub(crate) const THINGS: Migrations = Migrations::of_app(&[Migration {
    version: 1,
    file: "0001_things.sql",
    sql: "create table things (id uuid primary key, owner_id uuid not null, name text not null unique)",
}]);

#[resource(table = "things", owner = "owner_id")]
pub(crate) struct Thing {
    id: Id<Thing>,
    owner_id: Id<Account>,
    name: String,
}

#[output(from = Thing)]
#[derive(Debug, PartialEq)]
pub(crate) struct ThingView {
    id: Id<Thing>,
    name: String,
}

impl Permit<Read> for Thing {
    async fn permits(&self, actor: &Actor, _: &ReadDb) -> Result<bool> {
        Ok(actor.is(self.owner_id))
    }
}

#[input]
pub(crate) struct NewThing {
    pub(crate) name: Text<1, 50>,
}

#[post("/things")]
pub(crate) async fn create(
    user: SignedIn,
    db: Db,
    Json(new): Json<NewThing>,
) -> Result<Created<ThingView>> {
    let thing: Thing = sql!(
        "insert into things (id, owner_id, name) values ({Id::<Thing>::new()}, {user.id}, {new.name}) returning *"
    )
    .one(&db)
    .await?;
    Ok(Created(thing.into()))
}

#[get("/things/{thing}")]
pub(crate) async fn show(thing: Can<Read, Thing>) -> Result<Json<ThingView>> {
    Ok(Json(thing.into_inner().into()))
}

#[get("/panic")]
async fn panics(_: Public) -> Result<NoContent> {
    panic!("MARKED in src/secret.rs: select password_hash");
}

#[post("/twice", limit = "100/min")]
async fn twice(_: Public, db: Db) -> Result<NoContent> {
    for _ in 0..2 {
        sql!("insert into things (id, owner_id, name) values ({Id::<Thing>::new()}, {Id::<Account>::new()}, {\"MARKED\"})")
            .execute(&db)
            .await?;
    }
    Ok(NoContent)
}

static PAGE: StaticPage =
    StaticPage::new("<!doctype html><title>A page</title><script>start()</script>");

#[get("/page")]
async fn page(_: Public) -> Result<&'static StaticPage> {
    Ok(&PAGE)
}

#[get("/slow")]
async fn slow(_: Public) -> Result<NoContent> {
    std::future::pending().await
}

/// Longer than the configured time of the tests, and within its own.
#[get("/patient", timeout = "1m")]
async fn patient(_: Public) -> Result<NoContent> {
    tokio::time::sleep(Duration::from_millis(2_600)).await;
    Ok(NoContent)
}

#[post("/echo", body = "16 KiB")]
async fn echo(_: Public, Json(new): Json<NewThing>) -> Result<Json<Echo>> {
    Ok(Json(Echo {
        name: new.name.into_string(),
    }))
}

#[output]
pub(crate) struct Echo {
    name: String,
}

#[get("/limited", limit = "3/h")]
async fn limited(_: Public) -> Result<NoContent> {
    Ok(NoContent)
}

#[get("/limited-account", limit = "3/h")]
async fn limited_account(_: SignedIn) -> Result<NoContent> {
    Ok(NoContent)
}

#[get("/search", limit = "search")]
async fn search(_: Public) -> Result<NoContent> {
    Ok(NoContent)
}

#[get("/find", limit = "search")]
async fn find(_: Public) -> Result<NoContent> {
    Ok(NoContent)
}

#[get("/refused")]
async fn refused(_: Public) -> Result<NoContent> {
    Err(Error::forbidden())
}

/// A guard of the app's own, which knows nothing of limits.
struct Known;

impl Argument for Known {
    async fn take(_: &mut Incoming) -> Result<Self> {
        Ok(Self)
    }
}

impl Guard for Known {}

#[get("/limited-own-guard", limit = "3/h")]
async fn limited_own_guard(_: Known) -> Result<NoContent> {
    Ok(NoContent)
}

/// A shorter time than the usual one.
#[get("/hasty", timeout = "100ms")]
async fn hasty(_: Public) -> Result<NoContent> {
    std::future::pending().await
}

pub(crate) fn routes() -> palisade::endpoint::Routes {
    routes![
        create,
        show,
        panics,
        twice,
        slow,
        patient,
        echo,
        limited,
        limited_account,
        search,
        find,
        refused,
        limited_own_guard,
        hasty,
        page
    ]
}
