//! Pages.

use palisade::db::{Migration, Migrations};
use palisade::prelude::*;

use super::fresh;

const THINGS: Migrations = Migrations::of_app(&[Migration {
    version: 1,
    file: "0001_things.sql",
    sql: "create table things (id uuid primary key, name text not null)",
}]);

#[resource(table = "things", unowned = "a table of these tests alone")]
#[derive(Debug)]
struct Thing {
    id: Id<Thing>,
    name: String,
}

async fn make(db: &Db, name: &str) {
    sql!("insert into things (id, name) values ({Id::<Thing>::new()}, {name})")
        .execute(db)
        .await
        .expect("made");
}

#[tokio::test]
async fn goes_to_the_end_newest_first_while_rows_come() {
    for at in fresh().await {
        THINGS.run(&at.db).await.expect("migrated");
        for n in 0..7 {
            make(&at.db, &format!("thing {n}")).await;
        }
        let mut request = PageRequest::new(None, 3);
        let mut seen = Vec::new();
        loop {
            let page: Page<Thing> = sql!("select * from things")
                .page(&request, &at.db)
                .await
                .expect("a page");
            assert!(page.items.len() <= 3);
            seen.extend(page.items.into_iter().map(|thing| thing.name));
            make(&at.db, "late").await;
            match page.next {
                Some(next) => request = PageRequest::new(Some(next), 3),
                None => break,
            }
        }
        assert_eq!(
            seen,
            (0..7)
                .rev()
                .map(|n| format!("thing {n}"))
                .collect::<Vec<_>>(),
            "{}",
            at.name
        );
    }
}

#[tokio::test]
async fn refuses_the_cursor_of_another_list() {
    for at in fresh().await {
        THINGS.run(&at.db).await.expect("migrated");
        for n in 0..3 {
            make(&at.db, &format!("thing {n}")).await;
        }
        let request = PageRequest::new(None, 1);
        let page: Page<Thing> = sql!("select * from things")
            .page(&request, &at.db)
            .await
            .expect("a page");
        let request = PageRequest::new(page.next, 1);
        let other = sql!("select * from things where name <> {\"x\"}")
            .page::<Thing>(&request, &at.db)
            .await;
        assert_eq!(other.expect_err("it is another list").status(), 400);
        sql!("select * from things")
            .page::<Thing>(&request, &at.db)
            .await
            .expect("its own list");
    }
}
