//! Apps that must not start, each a real process: the whole text, the exit code, and no port opened.
//!
//! This program has no harness: it runs itself once for each app, and a run that is told an app is that app.

use std::net::TcpListener;
use std::process::{Command, ExitCode};

use palisade::db::{Migration, Migrations};
use palisade::prelude::*;
use palisade::secret::key::Key;

const HOMES: Migrations = Migrations::of_app(&[Migration {
    version: 1,
    file: "0001_homes.sql",
    sql: "create table homes (id uuid primary key, owner_id uuid not null)",
}]);

#[resource(table = "homes", owner = "owner_id")]
#[expect(dead_code, reason = "only its columns are compared")]
struct Home {
    id: Id<Home>,
    owner_id: Id<Account>,
    street: String,
}

#[row]
#[expect(dead_code, reason = "only its columns are compared")]
struct HomeCount {
    homes: i64,
}

#[get("/homes")]
async fn everyones(_: SignedIn, db: ReadDb) -> Result<NoContent> {
    let _: i64 = sql!("select count(*) from homes").one(&db).await?;
    let _: i64 = sql!(
        "select count(*) from homes",
        unscoped = "the total is shown to everybody"
    )
    .one(&db)
    .await?;
    let _: i64 = sql!("select count(*) from palaces").one(&db).await?;
    let _ = sql!(HomeCount, "select 1 as houses").one(&db).await?;
    Ok(NoContent)
}

#[get("/homes")]
async fn again(_: SignedIn) -> Result<NoContent> {
    Ok(NoContent)
}

#[get("/homes/{slug}")]
async fn by_slug(_: SignedIn, Path(slug): Path<Slug>) -> Result<NoContent> {
    let _ = slug;
    Ok(NoContent)
}

#[post("/homes/{name}")]
async fn by_name(
    _: SignedIn,
    Path(name): Path<Slug>,
    post: Service<PostOffice>,
) -> Result<NoContent> {
    let _ = (name, post.0);
    Ok(NoContent)
}

#[derive(Clone)]
struct PostOffice(u8);

/// Names the app that this run is.
const VARIABLE: &str = "REFUSED_APP";

fn main() -> ExitCode {
    match std::env::var(VARIABLE) {
        Ok(name) => palisade::app::run(|| app(name)),
        Err(_) => {
            tells_every_clash_of_routes_and_every_missing_service();
            tells_every_statement_that_does_not_fit_the_schema();
            ExitCode::SUCCESS
        }
    }
}

async fn app(name: String) -> Result<App, Refusal> {
    let app = App::from_env::<()>()?.migrations(HOMES);
    match name.as_str() {
        "clashes" => app.routes(routes![everyones, again, by_slug, by_name]),
        _ => app
            .provide(PostOffice(1))
            .routes(routes![everyones, by_name]),
    }
    .build()
}

/// What the app says, while somebody else has its port: an app that had tried to open it would say so.
fn refusal(name: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("its address").port();
    let output = Command::new(std::env::current_exe().expect("this program"))
        .current_dir(folder.path())
        .env_clear()
        .env(VARIABLE, name)
        .env("PALISADE_ENV", "development")
        .env("DATABASE_URL", "sqlite:app.sqlite")
        .env("PALISADE_SECRET_KEY", Key::generate_text().expose())
        .env("PORT", port.to_string())
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(78), "{said}");
    said
}

fn tells_every_clash_of_routes_and_every_missing_service() {
    insta::assert_snapshot!("clashes", refusal("clashes"));
}

/// Of the two statements that forget the owner, `unscoped` lifts the rule for one.
fn tells_every_statement_that_does_not_fit_the_schema() {
    insta::assert_snapshot!("statements", refusal("statements"));
}
