//! The data room on real databases: SQLite in a file, and PostgreSQL where a server is given.

mod checks;
mod kinds;
mod pages;
mod schema;
mod stored;
mod streams;
mod writing;

use std::sync::atomic::{AtomicU32, Ordering};

use palisade::db::{Db, DbOptions};
use palisade::secret::Secret;
use palisade::secret::key::Key;

static COUNT: AtomicU32 = AtomicU32::new(0);

/// One fresh database, and what keeps it there.
pub(crate) struct Fresh {
    pub(crate) db: Db,
    pub(crate) name: &'static str,
    pub(crate) url: String,
    _folder: tempfile::TempDir,
}

pub(crate) async fn open(url: &str) -> Db {
    let options = DbOptions {
        url: Secret::new(url.to_owned()),
        cursor_key: Key::generate(),
    };
    Db::open(options).await.expect("the database opens")
}

/// A fresh database of each kind.
pub(crate) async fn fresh() -> Vec<Fresh> {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite:{}", folder.path().join("test.sqlite").display());
    let mut all = vec![Fresh {
        db: open(&url).await,
        name: "SQLite",
        url,
        _folder: folder,
    }];
    match std::env::var("PALISADE_TEST_POSTGRES") {
        Ok(server) => all.push(postgres(&server).await),
        Err(_) if std::env::var_os("CI").is_some() => panic!("PALISADE_TEST_POSTGRES is not set"),
        Err(_) => {
            println!("skipped: PALISADE_TEST_POSTGRES names no server, so this ran on SQLite only")
        }
    }
    all
}

async fn postgres(server: &str) -> Fresh {
    use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
    let name = format!(
        "t{}_{}",
        std::process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    );
    let mut connection = sqlx::PgConnection::connect(server)
        .await
        .expect("the server answers");
    connection
        .execute(AssertSqlSafe(format!("create database {name}")))
        .await
        .expect("a database");
    connection.close().await.expect("it closes");
    let (base, _) = server.rsplit_once('/').expect("the URL names a database");
    let url = format!("{base}/{name}");
    Fresh {
        db: open(&url).await,
        name: "PostgreSQL",
        url,
        _folder: tempfile::tempdir().expect("a folder"),
    }
}
