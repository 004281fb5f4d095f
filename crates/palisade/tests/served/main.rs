//! Apps that are really served; a binary of its own, since every statement of a binary is checked when its app starts.

use std::io::{Read as _, Write as _};

use palisade::config::Sources;
use palisade::db::{Migration, Migrations};
use palisade::prelude::*;
use palisade::testing::{self, TestDb};

const THINGS: Migrations = Migrations::of_app(&[Migration {
    version: 1,
    file: "0001_things.sql",
    sql: "create table things (id uuid primary key, owner_id uuid not null, name text not null unique)",
}]);

#[resource(table = "things", owner = "owner_id")]
struct Thing {
    id: Id<Thing>,
    owner_id: Id<Account>,
    name: String,
}

#[output(from = Thing)]
#[derive(Debug, PartialEq)]
struct ThingView {
    id: Id<Thing>,
    name: String,
}

impl Permit<Read> for Thing {
    async fn permits(&self, actor: &Actor, _: &ReadDb) -> Result<bool> {
        Ok(actor.is(self.owner_id))
    }
}

#[input]
struct NewThing {
    name: Text<1, 50>,
}

#[post("/things")]
async fn create(user: SignedIn, db: Db, Json(new): Json<NewThing>) -> Result<Created<ThingView>> {
    let thing: Thing = sql!(
        "insert into things (id, owner_id, name) values ({Id::<Thing>::new()}, {user.id}, {new.name}) returning *"
    )
    .one(&db)
    .await?;
    Ok(Created(thing.into()))
}

#[get("/things/{thing}")]
async fn show(thing: Can<Read, Thing>) -> Result<Json<ThingView>> {
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

#[get("/slow")]
async fn slow(_: Public) -> Result<NoContent> {
    std::future::pending().await
}

fn call(port: u16, method: &str, path: &str) -> String {
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answered");
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_a_failed_statement_and_a_slow_handler_leak_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = palisade::secret::key::Key::generate_text();
    let sources = Sources::new(
        folder.path(),
        [
            ("PALISADE_ENV", "development"),
            (
                "DATABASE_URL",
                &format!("sqlite:{}", folder.path().join("app.sqlite").display()),
            ),
            ("PALISADE_SECRET_KEY", key.expose()),
            ("PALISADE_HANDLER_TIMEOUT", "300ms"),
        ],
    );
    let app = App::from_sources::<()>(&sources)
        .and_then(|app| {
            app.migrations(THINGS)
                .routes(routes![create, show, panics, twice, slow])
                .build()
        })
        .expect("it is built");
    let started = app.start().await.expect("it starts");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(started.serve(listener, async {
        let _ = stopped.await;
    }));
    for (method, path, status) in [
        ("GET", "/panic", 500),
        ("POST", "/twice", 500),
        ("GET", "/slow", 504),
    ] {
        let answer = tokio::task::spawn_blocking(move || call(port, method, path))
            .await
            .expect("called");
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{path}: {answer}"
        );
        for leak in [
            "MARKED", ".rs", "select", "insert", "things", "UNIQUE", "unique", "panicked", "sqlx",
        ] {
            assert!(!answer.contains(leak), "{path}: {answer}");
        }
        assert!(
            answer.contains("application/problem+json") && answer.contains("x-request-id"),
            "{answer}"
        );
    }
    let alive = tokio::task::spawn_blocking(move || call(port, "GET", "/livez"))
        .await
        .expect("called");
    assert!(
        alive.starts_with("HTTP/1.1 200 "),
        "one panic ends one request: {alive}"
    );
    stop.send(()).expect("it serves");
    serving.await.expect("it ends");
}

#[tokio::test]
async fn a_handler_is_called_like_any_function() {
    let db = TestDb::new(THINGS).await.expect("a database");
    let ann = db.account("ann@example.com").await.expect("an account");
    let new = NewThing {
        name: Text::parse("mine").expect("a name"),
    };
    let Created(made) = create(testing::signed_in(ann), db.clone(), Json(new))
        .await
        .expect("made");
    let thing: Thing = sql!("select * from things where owner_id = {ann}")
        .one(&*db)
        .await
        .expect("kept");
    assert!(
        Permit::<Read>::permits(&thing, &testing::actor(ann), &db.reader())
            .await
            .expect("asked")
    );
    assert!(
        !Permit::<Read>::permits(&thing, &testing::actor(Id::new()), &db.reader())
            .await
            .expect("asked")
    );
    let Json(shown) = show(testing::can(thing, ann)).await.expect("shown");
    assert_eq!(shown, made);
    panics_by_name(testing::public());
}

/// A guard is a value: it can be handed on, and made by hand in tests alone.
fn panics_by_name(_: Public) {}
