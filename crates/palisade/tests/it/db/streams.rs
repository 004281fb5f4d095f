//! Streams.

use palisade::db::{Migration, Migrations, RowStream};
use palisade::prelude::*;

use super::{Fresh, fresh};

const NUMBERS: Migrations = Migrations::of_app(&[Migration {
    version: 1,
    file: "0001_numbers.sql",
    sql: "create table numbers (n bigint primary key, name text not null)",
}]);

const COUNT: i64 = 5000;

#[row]
struct Number {
    n: i64,
    name: String,
}

/// A database of each kind with the numbers from 1 to [`COUNT`].
async fn counted() -> Vec<Fresh> {
    let all = fresh().await;
    for at in &all {
        NUMBERS.run(&at.db).await.expect("migrated");
        sql!(
            "insert into numbers (n, name)
             with recursive c (n) as (select 1 union all select n + 1 from c where n < {COUNT})
             select n, 'number ' || n from c"
        )
        .execute(&at.db)
        .await
        .expect("written");
    }
    all
}

async fn check_whole(mut rows: RowStream<'_, Number>, name: &str) {
    let mut expected = COUNT;
    while let Some(row) = rows.try_next().await.expect("a row") {
        assert_eq!(
            (row.n, row.name),
            (expected, format!("number {expected}")),
            "{name}"
        );
        expected -= 1;
    }
    assert_eq!(expected, 0, "{name}");
    assert!(
        rows.try_next()
            .await
            .expect("it stays at its end")
            .is_none()
    );
}

#[tokio::test]
async fn gives_thousands_of_rows_in_their_order() {
    for at in counted().await {
        let all = || {
            sql!(
                Number,
                "select n, name from numbers order by n desc -- largest first"
            )
        };
        check_whole(all().stream(10_000, &at.db), at.name).await;
        check_whole(all().stream(10_000, &at.db.reader()), at.name).await;
        let mut tx = at.db.begin().await.expect("begun");
        check_whole(all().stream(10_000, &mut tx), at.name).await;
    }
}

#[tokio::test]
async fn gives_no_more_rows_than_asked_for() {
    for at in counted().await {
        let mut rows = sql!("select n from numbers order by n").stream::<i64>(3, &at.db);
        let mut seen = Vec::new();
        while let Some(n) = rows.try_next().await.expect("a row") {
            seen.push(n);
        }
        assert_eq!(seen, [1, 2, 3], "{}", at.name);
    }
}

/// More streams than there are connections, each left in the middle of a result without end.
#[tokio::test]
async fn reads_no_further_than_wanted_and_gives_its_connection_back() {
    for at in counted().await {
        for round in 0..40 {
            let endless = sql!(
                "with recursive c (n) as (select 1 union all select n + 1 from c) select n from c"
            );
            let mut rows = endless.stream::<i64>(u32::MAX, &at.db);
            for expected in 1..=3 {
                let n = rows.try_next().await;
                let n = n.unwrap_or_else(|error| panic!("{}, {round}: {error:?}", at.name));
                assert_eq!(n, Some(expected));
            }
        }
        let count: i64 = sql!("select count(*) from numbers")
            .one(&at.db)
            .await
            .expect("counted");
        assert_eq!(count, COUNT);
    }
}

#[tokio::test]
async fn leaves_its_transaction_as_it_was() {
    for at in counted().await {
        let mut tx = at.db.begin().await.expect("begun");
        let mut rows = sql!("select n from numbers order by n").stream::<i64>(10_000, &mut tx);
        assert_eq!(rows.try_next().await.expect("a row"), Some(1));
        drop(rows);
        sql!("delete from numbers where n > 1")
            .execute(&tx)
            .await
            .expect("deleted");
        tx.commit().await.expect("committed");
        let left: i64 = sql!("select count(*) from numbers")
            .one(&at.db)
            .await
            .expect("counted");
        assert_eq!(left, 1, "{}", at.name);
    }
}

#[tokio::test]
async fn tells_what_went_wrong_by_a_silent_500() {
    for at in counted().await {
        let mut rows = sql!("select name from numbers").stream::<i64>(9, &at.db);
        let error = rows.try_next().await.expect_err("a name is no number");
        assert_eq!(error.status(), 500, "{}", at.name);
        let mut rows = sql!("select n from nowhere").stream::<i64>(9, &at.db);
        let error = rows.try_next().await.expect_err("there is no such table");
        assert_eq!(error.status(), 500, "{}", at.name);
        assert!(rows.try_next().await.expect("it is at its end").is_none());
    }
}
