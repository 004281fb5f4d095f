//! Apps that must not start, by the text of the refusal.

use palisade::config::Sources;
use palisade::db::{Migration, Migrations};
use palisade::prelude::*;

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

fn app(folder: &std::path::Path) -> App {
    let key = palisade::secret::key::Key::generate_text();
    let url = format!("sqlite:{}", folder.join("app.sqlite").display());
    let sources = Sources::new(
        folder,
        [
            ("PALISADE_ENV", "development"),
            ("DATABASE_URL", &url),
            ("PALISADE_SECRET_KEY", key.expose()),
        ],
    );
    App::from_sources::<()>(&sources)
        .expect("the settings are read")
        .migrations(HOMES)
}

#[test]
fn tells_every_clash_of_routes_and_every_missing_service() {
    let folder = tempfile::tempdir().expect("a folder");
    let refusal = app(folder.path())
        .routes(routes![everyones, again, by_slug, by_name])
        .build()
        .expect_err("it is refused");
    let said = refusal.to_string();
    assert!(
        said.starts_with("the service does not start: 3 problems"),
        "{said}"
    );
    assert!(
        said.contains("two handlers answer GET /homes: `everyones` and `again`"),
        "{said}"
    );
    assert!(
        said.contains("/homes/{slug} and /homes/{name} name the same parameter differently"),
        "{said}"
    );
    assert!(
        said.contains(
            "the handler `by_name` needs the service `it::start::PostOffice`, which nobody provides"
        ),
        "{said}"
    );
    let built = app(folder.path())
        .provide(PostOffice(1))
        .routes(routes![everyones, by_name])
        .build();
    built.expect("a provided service is found");
}

#[tokio::test]
async fn tells_every_statement_that_does_not_fit_the_schema() {
    let folder = tempfile::tempdir().expect("a folder");
    let app = app(folder.path())
        .routes(routes![everyones])
        .build()
        .expect("it is built");
    let said = app.start().await.expect_err("it is refused").to_string();
    let about = |file_line: &str, what: &str| {
        let told = said
            .split("\n\n")
            .any(|problem| problem.contains(file_line) && problem.contains(what));
        assert!(told, "{what}: {said}");
    };
    about("tests/it/start.rs", "the table homes has no column street");
    about(
        "tests/it/start.rs",
        "the statement touches homes without naming its owner column owner_id",
    );
    about(
        "tests/it/start.rs",
        "the database cannot prepare this statement: ",
    );
    about(
        "tests/it/start.rs",
        "the statement does not give the column homes",
    );
    assert_eq!(
        said.matches("the statement touches homes").count(),
        1,
        "`unscoped` lifts the rule: {said}"
    );
}
