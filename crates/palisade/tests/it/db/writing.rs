//! What writes: transactions, constraints, many at once, and what a reader cannot do.

use palisade::db::{Migration, Migrations, is_unique_violation};
use palisade::sql;

use super::fresh;

const COUNTERS: Migrations = Migrations::of_app(&[Migration {
    version: 1,
    file: "0001_counters.sql",
    sql: "create table counters (name text primary key, count bigint not null)",
}]);

#[tokio::test]
async fn commits_a_transaction_or_nothing_of_it() {
    for at in fresh().await {
        COUNTERS.run(&at.db).await.expect("migrated");
        let tx = at.db.begin().await.expect("begun");
        sql!("insert into counters (name, count) values ({\"dropped\"}, 1)")
            .execute(&tx)
            .await
            .expect("written");
        assert_eq!(
            sql!("select count(*) from counters")
                .one::<i64>(&tx)
                .await
                .expect("it sees its own"),
            1
        );
        assert_eq!(
            sql!("select count(*) from counters")
                .one::<i64>(&at.db)
                .await
                .expect("others do not"),
            0
        );
        drop(tx);
        let tx = at.db.begin().await.expect("begun");
        sql!("insert into counters (name, count) values ({\"kept\"}, 1)")
            .execute(&tx)
            .await
            .expect("written");
        tx.commit().await.expect("committed");
        let names = sql!("select name from counters")
            .at_most::<String>(9, &at.db)
            .await
            .expect("read");
        assert_eq!(names, ["kept"], "{}", at.name);
    }
}

#[tokio::test]
async fn tells_a_taken_value_from_other_failures() {
    for at in fresh().await {
        COUNTERS.run(&at.db).await.expect("migrated");
        let insert = || sql!("insert into counters (name, count) values ({\"one\"}, 1)");
        insert().execute(&at.db).await.expect("the first");
        let taken = insert().execute(&at.db).await.expect_err("it is taken");
        assert!(
            is_unique_violation(&taken) && taken.status() == 500,
            "{}",
            at.name
        );
        let missing = sql!("insert into counters (name, count) values ({\"two\"}, {None::<i64>})")
            .execute(&at.db)
            .await;
        assert!(!is_unique_violation(&missing.expect_err("null is refused")));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn lets_many_write_at_once() {
    for at in fresh().await {
        COUNTERS.run(&at.db).await.expect("migrated");
        sql!("insert into counters (name, count) values ({\"all\"}, 0)")
            .execute(&at.db)
            .await
            .expect("written");
        let writers: Vec<_> = (0..8)
            .map(|_| {
                let db = at.db.clone();
                tokio::spawn(async move {
                    for _ in 0..10 {
                        sql!("update counters set count = count + 1 where name = {\"all\"}")
                            .execute(&db)
                            .await
                            .expect("written");
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.await.expect("it ends");
        }
        let count: i64 = sql!("select count from counters")
            .one(&at.db)
            .await
            .expect("read");
        assert_eq!(count, 80, "{}", at.name);
    }
}

#[tokio::test]
async fn a_reader_is_held_by_the_database_too() {
    for at in fresh().await {
        COUNTERS.run(&at.db).await.expect("migrated");
        let reader = at.db.reader();
        // What the literal's words do not show: a function that writes, and a setting that would lift the hold.
        if at.name == "PostgreSQL" {
            sqlx_execute(&at.url, "create function sneak() returns bigint language sql as $$ insert into counters values ('sneaked', 1) returning count $$").await;
            sql!("select sneak()")
                .one::<i64>(&reader)
                .await
                .expect_err("the connection is read-only");
        } else {
            let held: i64 = sql!("select * from pragma_query_only")
                .one(&reader)
                .await
                .expect("it tells");
            assert_eq!(held, 1);
        }
        assert_eq!(
            sql!("select count(*) from counters")
                .one::<i64>(&at.db)
                .await
                .expect("read"),
            0
        );
    }
}

async fn sqlx_execute(url: &str, text: &'static str) {
    use sqlx::{Connection as _, Executor as _};
    let mut connection = sqlx::PgConnection::connect(url)
        .await
        .expect("the server answers");
    connection.execute(text).await.expect("done");
}
