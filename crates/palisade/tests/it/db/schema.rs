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
    async fn start(url: &str) -> Vec<&'static str> {
        let db = open(url).await;
        BOTH.run(&db).await.expect("it migrates or waits");
        BOTH.pending(&db).await.expect("read")
    }
    for at in fresh().await {
        // A file that is not there yet: both make it.
        let urls = match at.name {
            "SQLite" => (0..20)
                .map(|number| format!("{}-new{number}", at.url))
                .collect(),
            _ => vec![at.url],
        };
        for url in urls {
            let (one, two) = tokio::join!(start(&url), start(&url));
            assert!(one.is_empty() && two.is_empty(), "{}", at.name);
        }
    }
}

#[tokio::test]
async fn only_reads_to_tell_what_is_pending() {
    for at in fresh().await {
        BOTH.pending(&at.db).await.expect("read");
        let made = sql!("select count(*) from app_migrations")
            .one::<i64>(&at.db)
            .await;
        made.expect_err("it made a table");
    }
}

/// A foreign key that cascades, and the way in which SQLite changes a table.
#[tokio::test]
async fn rebuilds_a_table_without_losing_what_refers_to_it() {
    const TREE: Migration = Migration {
        version: 1,
        file: "0001_tree.sql",
        sql: "create table trees (id bigint primary key, name text);
              create table leaves (id bigint primary key, tree bigint not null references trees (id) on delete cascade);
              insert into trees values (1, 'oak');
              insert into leaves values (10, 1), (11, 1)",
    };
    const REBUILT: Migration = Migration {
        version: 2,
        file: "0002_names.sql",
        sql: "create table new_trees (id bigint primary key, name text not null);
              insert into new_trees select id, name from trees;
              drop table trees;
              alter table new_trees rename to trees",
    };
    const ORPHANED: Migration = Migration {
        version: 3,
        file: "0003_felled.sql",
        sql: "delete from trees",
    };
    for at in fresh().await.into_iter().filter(|at| at.name == "SQLite") {
        Migrations::of_app(&[TREE, REBUILT])
            .run(&at.db)
            .await
            .expect("rebuilt");
        let leaves = || async {
            sql!("select count(*) from leaves")
                .one::<i64>(&at.db)
                .await
                .expect("counted")
        };
        assert_eq!(leaves().await, 2);
        let felled = Migrations::of_app(&[TREE, REBUILT, ORPHANED])
            .run(&at.db)
            .await;
        assert_eq!(
            felled
                .expect_err("the leaves would hang in the air")
                .to_string(),
            "the migrations leave rows in leaves that refer to rows of trees which are not there"
        );
        let trees: i64 = sql!("select count(*) from trees")
            .one(&at.db)
            .await
            .expect("counted");
        assert_eq!((trees, leaves().await), (1, 2), "nothing of it was kept");
        // Requests check them at once, as before.
        let id = 12_i64;
        sql!("insert into leaves (id, tree) values ({id}, 9)")
            .execute(&at.db)
            .await
            .expect_err("there is no such tree");
    }
}

/// The rows that the second file makes: more than anybody waits for, until the table `pace` says otherwise.
const KILLED: Migrations = Migrations::of_app(&[
    Migration {
        version: 1,
        file: "0001_pace.sql",
        sql: "create table pace (rows bigint not null); insert into pace values (1000000000)",
    },
    Migration {
        version: 2,
        file: "0002_slow.sql",
        sql: "create table slow (n bigint not null);
              insert into slow with recursive c (n) as
              (select 1 union all select n + 1 from c where n < (select rows from pace)) select n from c",
    },
    Migration {
        version: 3,
        file: "0003_after.sql",
        sql: "create table after_slow (id bigint primary key)",
    },
]);

/// Names the database to the process that is killed.
const TO_MIGRATE: &str = "PALISADE_TEST_TO_MIGRATE";

#[tokio::test]
async fn finishes_at_the_next_start_what_a_kill_interrupted() {
    if let Ok(url) = std::env::var(TO_MIGRATE) {
        KILLED
            .run(&open(&url).await)
            .await
            .expect("it is killed before its end");
        return;
    }
    for at in fresh().await {
        let mut command =
            std::process::Command::new(std::env::current_exe().expect("this program"));
        command
            .args([
                "--exact",
                "db::schema::finishes_at_the_next_start_what_a_kill_interrupted",
            ])
            .env(TO_MIGRATE, &at.url)
            .stdout(std::process::Stdio::null());
        let mut child = command.spawn().expect("it starts");
        let begun = std::time::Instant::now();
        while !is_in_the_middle(&at).await {
            let ended = child.try_wait().expect("it can be asked");
            assert!(
                ended.is_none() && begun.elapsed().as_secs() < 60,
                "{}: {ended:?}",
                at.name
            );
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");

        // On SQLite the run is one transaction; on PostgreSQL each file is.
        let left = KILLED.pending(&at.db).await.expect("read");
        let first = usize::from(at.name != "SQLite");
        assert_eq!(
            left,
            ["0001_pace.sql", "0002_slow.sql", "0003_after.sql"][first..],
            "{}",
            at.name
        );
        sql!("select count(*) from slow")
            .one::<i64>(&at.db)
            .await
            .expect_err("half of it is there");
        // Also the next run would be slow.
        const PACE: Migrations = Migrations::of_app(&[Migration {
            version: 1,
            file: "0001_pace.sql",
            sql: "create table pace (rows bigint not null); insert into pace values (1000000000)",
        }]);
        PACE.run(&at.db).await.expect("the first file");
        sql!("update pace set rows = 10")
            .execute(&at.db)
            .await
            .expect("quick from now on");
        let patience = std::time::Duration::from_secs(60);
        let finished = tokio::time::timeout(patience, KILLED.run(&at.db)).await;
        finished
            .expect("it need not wait for the killed one")
            .expect("it finishes");
        assert!(KILLED.pending(&at.db).await.expect("read").is_empty());
        let rows: i64 = sql!("select count(*) from slow")
            .one(&at.db)
            .await
            .expect("counted");
        assert_eq!(rows, 10, "{}", at.name);
    }
}

/// Whether rows of the second file are on their way to the disk.
async fn is_in_the_middle(at: &super::Fresh) -> bool {
    if at.name == "SQLite" {
        let log = format!("{}-wal", at.url.trim_start_matches("sqlite:"));
        return std::fs::metadata(log).is_ok_and(|log| log.len() > 4 << 20);
    }
    let running: i64 = sql!(
        "select count(*) from pg_stat_activity
         where datname = current_database() and state = 'active' and query like 'create table slow%'"
    )
    .one(&at.db)
    .await
    .expect("the server tells");
    running > 0
}
