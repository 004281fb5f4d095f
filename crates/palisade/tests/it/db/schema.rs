//! Migrations.

use palisade::db::{Migration, Migrations};
use palisade::sql;

use super::{fresh, open};

const FIRST: Migration = Migration {
    version: 1,
    file: "0001_first.sql",
    sql: "create table first (id bigint primary key)",
};
const SECOND: Migration = Migration {
    version: 2,
    file: "0002_second.sql",
    sql: "create table second (id bigint primary key)",
};
const BROKEN: Migration = Migration {
    version: 2,
    file: "0002_second.sql",
    sql: "create table second (id bigint primary key); create table first (id bigint)",
};
const CHANGED: Migration = Migration {
    version: 1,
    file: "0001_first.sql",
    sql: "create table first (id text primary key)",
};

const ONE: Migrations = Migrations::of_app(&[FIRST]);
const BOTH: Migrations = Migrations::of_app(&[FIRST, SECOND]);

#[tokio::test]
async fn applies_what_is_pending_once() {
    for at in fresh().await {
        assert_eq!(
            BOTH.pending(&at.db).await.expect("read"),
            ["0001_first.sql", "0002_second.sql"]
        );
        ONE.run(&at.db).await.expect("applied");
        assert_eq!(
            BOTH.pending(&at.db).await.expect("read"),
            ["0002_second.sql"],
            "{}",
            at.name
        );
        BOTH.run(&at.db).await.expect("applied");
        BOTH.run(&at.db).await.expect("nothing to do");
        assert!(BOTH.pending(&at.db).await.expect("read").is_empty());
    }
}

#[tokio::test]
async fn refuses_a_changed_and_a_missing_file() {
    const OTHER: Migrations = Migrations::of_app(&[CHANGED, SECOND]);
    for at in fresh().await {
        BOTH.run(&at.db).await.expect("applied");
        for outcome in [
            OTHER.run(&at.db).await,
            OTHER.pending(&at.db).await.map(drop),
        ] {
            let said = outcome.expect_err("it was changed").to_string();
            assert!(
                said.contains("0001_first.sql was changed after it was applied"),
                "{said}"
            );
        }
        let said = ONE
            .run(&at.db)
            .await
            .expect_err("one is missing")
            .to_string();
        assert!(
            said.contains("number 2, which this build does not know"),
            "{said}"
        );
    }
}

#[tokio::test]
async fn leaves_nothing_of_a_failed_file_and_goes_on_when_it_is_mended() {
    const FAILING: Migrations = Migrations::of_app(&[FIRST, BROKEN]);
    for at in fresh().await {
        let said = FAILING.run(&at.db).await.expect_err("it fails").to_string();
        assert!(
            said.starts_with("the migration 0002_second.sql failed: "),
            "{said}"
        );
        assert!(
            sql!("select count(*) from second")
                .one::<i64>(&at.db)
                .await
                .is_err(),
            "{}: half of it is there",
            at.name
        );
        BOTH.run(&at.db).await.expect("mended");
        assert_eq!(
            sql!("select count(*) from second")
                .one::<i64>(&at.db)
                .await
                .expect("counted"),
            0
        );
    }
}

#[tokio::test]
async fn lets_two_instances_start_at_once() {
    for at in fresh().await {
        let other = open(&at.url).await;
        let (one, two) = tokio::join!(BOTH.run(&at.db), BOTH.run(&other));
        one.expect("the first");
        two.expect("the second");
        assert!(BOTH.pending(&other).await.expect("read").is_empty());
    }
}
