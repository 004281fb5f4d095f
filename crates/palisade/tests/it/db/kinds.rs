//! Every kind of value, there and back.

use palisade::db::{Cell, Column, Migration, Migrations};
use palisade::prelude::*;

use super::fresh;

const KINDS: Migrations = Migrations::of_app(&[Migration {
    version: 1,
    file: "0001_kinds.sql",
    sql: "create table kinds (
        id uuid primary key, number bigint, ratio double precision, flag boolean, text text,
        moment timestamptz, day date, tags jsonb, other uuid)",
}]);

#[row]
#[derive(Debug, PartialEq)]
struct Kinds {
    number: Option<i64>,
    ratio: Option<f64>,
    flag: Option<bool>,
    text: Option<String>,
    moment: Option<Timestamp>,
    day: Option<Date>,
    tags: Option<List<Slug, 5>>,
    other: Option<Id<Account>>,
}

async fn there_and_back(db: &Db, sent: &Kinds) -> Kinds {
    let id = Id::<Account>::new();
    sql!(
        "insert into kinds (id, number, ratio, flag, text, moment, day, tags, other)
         values ({id}, {sent.number}, {sent.ratio}, {sent.flag}, {sent.text}, {sent.moment}, {sent.day}, {sent.tags}, {sent.other})"
    )
    .execute(db)
    .await
    .expect("written");
    sql!(
        Kinds,
        "select number, ratio, flag, text, moment, day, tags, other from kinds where id = {id}"
    )
    .one(db)
    .await
    .expect("read")
}

#[tokio::test]
async fn keeps_every_kind_and_every_null() {
    for at in fresh().await {
        KINDS.run(&at.db).await.expect("migrated");
        let nothing = Kinds {
            number: None,
            ratio: None,
            flag: None,
            text: None,
            moment: None,
            day: None,
            tags: None,
            other: None,
        };
        assert_eq!(
            there_and_back(&at.db, &nothing).await,
            nothing,
            "{}",
            at.name
        );
        for number in [0, 1, -1, i64::MAX, i64::MIN] {
            let full = Kinds {
                number: Some(number),
                ratio: Some(0.1 + 0.2),
                flag: Some(number > 0),
                text: Some("'; drop table kinds; -- \u{1f980} $1 {x}".to_owned()),
                moment: Some(Timestamp::now()),
                day: Some(Date::from(time::macros::date!(2024 - 02 - 29))),
                tags: Some(List::default()),
                other: Some(Id::new()),
            };
            assert_eq!(there_and_back(&at.db, &full).await, full, "{}", at.name);
        }
    }
}

#[tokio::test]
async fn says_how_many_rows_there_must_be() {
    for at in fresh().await {
        KINDS.run(&at.db).await.expect("migrated");
        let db = &at.db;
        let none = sql!("select number from kinds")
            .one::<Option<i64>>(db)
            .await
            .expect_err("there is none");
        assert_eq!(none.status(), 500);
        assert_eq!(
            sql!("select number from kinds")
                .optional::<Option<i64>>(db)
                .await
                .expect("none"),
            None
        );
        for number in 1..=3_i64 {
            sql!("insert into kinds (id, number) values ({Id::<Account>::new()}, {number})")
                .execute(db)
                .await
                .expect("written");
        }
        assert_eq!(
            sql!("select number from kinds")
                .one::<i64>(db)
                .await
                .expect_err("several")
                .status(),
            500
        );
        assert_eq!(
            sql!("select number from kinds")
                .optional::<i64>(db)
                .await
                .expect_err("several")
                .status(),
            500
        );
        // It stands inside another statement, so neither its `;` nor its comment may end that.
        assert_eq!(
            sql!("select number from kinds order by number; -- all")
                .at_most::<i64>(2, db)
                .await
                .expect("two"),
            [1, 2]
        );
        let wanted = vec![1_i64, 3, 9];
        let listed = sql!("select number from kinds where number in ({..wanted}) order by number")
            .at_most::<i64>(9, db)
            .await;
        assert_eq!(listed.expect("listed"), [1, 3]);
        let set: Set<Int<1, 9>, 5> = Column::read(Cell::Text("[3, 2]".to_owned())).expect("a set");
        for wanted in [&[3_i64, 2, 77][..], &[2, 3]] {
            let listed = sql!("select number from kinds where number in ({..wanted}) and number in ({..set}) order by 1")
                .at_most::<i64>(9, db)
                .await;
            assert_eq!(listed.expect("listed"), [2, 3]);
        }
        let nothing: Vec<i64> = Vec::new();
        let listed = sql!("select number from kinds where number in ({..nothing})")
            .at_most::<i64>(9, db)
            .await;
        assert_eq!(
            listed.expect("an empty list matches nothing"),
            Vec::<i64>::new()
        );
    }
}

#[columns(on = "kinds")]
enum Order {
    #[column("number desc")]
    Largest,
    #[column("number")]
    Smallest,
}

#[tokio::test]
async fn composes_pieces_and_orders() {
    for at in fresh().await {
        KINDS.run(&at.db).await.expect("migrated");
        let db = &at.db;
        for number in 1..=4_i64 {
            sql!("insert into kinds (id, number) values ({Id::<Account>::new()}, {number})")
                .execute(db)
                .await
                .expect("written");
        }
        let least = 2_i64;
        for (order, expected) in [(Order::Largest, [4, 3, 2]), (Order::Smallest, [2, 3, 4])] {
            let piece = sql!("number >= {least}", on = "kinds");
            let most = 4_i64;
            let found = sql!(
                "select number from kinds where number <= {most} and {sql: piece} order by {order: order}"
            );
            assert_eq!(
                found.at_most::<i64>(9, db).await.expect("found"),
                expected,
                "{}",
                at.name
            );
        }
    }
}
