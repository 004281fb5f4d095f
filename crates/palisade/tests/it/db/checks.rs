//! What the real schema tells at start: each mistake below by its line, its text and its cure.

use palisade::db::{Migration, Migrations, check};
use palisade::prelude::*;

use super::fresh;

const LETTERS: Migrations = Migrations::of_app(&[Migration {
    version: 1,
    file: "0001_letters.sql",
    sql: "create table letters (
              id uuid primary key, owner_id uuid not null, subject text not null, body text, pages bigint not null,
              weight double precision, small integer not null, sent timestamptz
          );
          create table stamps (id uuid primary key, letter_id uuid references letters (id), worth bigint not null);
          create view shown_letters as select id, subject, body from letters",
}]);

#[resource(table = "letters", owner = "owner_id")]
#[expect(dead_code, reason = "only its columns are compared")]
struct Letter {
    id: Id<Letter>,
    owner_id: Id<Account>,
    subject: String,
    body: Option<String>,
    pages: u32,
    weight: Option<f64>,
    sent: Option<Timestamp>,
}

#[resource(table = "letters", owner = "owner_id")]
#[expect(dead_code, reason = "only its columns are compared")]
struct Careless {
    id: Id<Careless>,
    owner_id: Id<Account>,
    body: String,
    pages: String,
}

#[row]
#[expect(dead_code, reason = "only its columns are compared")]
struct Read {
    subject: String,
    body: String,
}

#[row]
#[expect(dead_code, reason = "only its columns are compared")]
struct Stamped {
    id: Id<Letter>,
    worth: i64,
}

#[row]
#[expect(dead_code, reason = "only its columns are compared")]
struct Total {
    total: i64,
}

#[columns(on = "letters")]
#[expect(dead_code, reason = "only its columns are tried")]
enum LetterOrder {
    #[column("subject desc")]
    Subject,
    #[column("recipient")]
    Recipient,
}

/// Statements that are right, of each kind that could raise a false alarm.
#[expect(dead_code, reason = "they are only prepared")]
fn right(owner: Id<Account>, id: Id<Letter>) {
    let _ = sql!(
        Read,
        "select subject, coalesce(body, '') as body from letters where owner_id = {owner}"
    );
    let _ = sql!(
        Read,
        "select subject, body from letters where body is not null and owner_id = {owner};"
    );
    let _ = sql!(
        Read,
        "select subject, subject as body from letters where owner_id = {owner}"
    );
    let _ = sql!(
        Stamped,
        "select l.id, s.worth from letters l join stamps s on s.letter_id = l.id where l.owner_id = {owner}"
    );
    let _ = sql!(
        Stamped,
        "select l.id, coalesce(s.worth, 0) as worth from letters l left join stamps s on s.letter_id = l.id where l.owner_id = {owner}"
    );
    let _ = sql!(
        Total,
        "select count(*) as total from letters where owner_id = {owner}"
    );
    let _ = sql!(
        Total,
        "select cast(sum(pages) as bigint) as total from letters where owner_id = {owner}"
    );
    let _ = sql!(
        Total,
        "select small as total from letters where owner_id = {owner}"
    );
    let _ = sql!(
        Total,
        "select total from (select count(*) as total from stamps) as counted"
    );
    let _ = sql!(
        Read,
        "update letters set body = {\"x\"} where id = {id} and owner_id = {owner} returning subject, 'x' as body"
    );
    let _ = sql!(
        Read,
        "update letters set body = {\"x\"} where id = {id} and owner_id = {owner} returning subject, body"
    );
    let _ = sql!(
        Read,
        "select subject, body from letters where body = {\"x\"} and owner_id = {owner}"
    );
    let piece = sql!(
        "subject = {\"x\"} or id in (select letter_id from stamps)",
        on = "letters"
    );
    let _ = sql!("select count(*) from letters where owner_id = {owner} and {sql: piece}");
    let _ = sql!(
        "select count(*) from shown_letters",
        unscoped = "shown to everybody"
    );
}

/// Statements that are wrong; the tests expect what is said of each, in this order.
#[expect(dead_code, reason = "they are only prepared")]
fn wrong(owner: Id<Account>, id: Id<Letter>) {
    let _ = sql!(
        Read,
        "select subject, body from letters where owner_id = {owner}"
    );
    let _ = sql!(
        Stamped,
        "select l.id, s.worth from letters l left join stamps s on s.letter_id = l.id where l.owner_id = {owner}"
    );
    let _ = sql!(
        Stamped,
        "select l.*, s.* from letters l join stamps s on s.letter_id = l.id where l.owner_id = {owner}"
    );
    let _ = sql!(
        Total,
        "select subject as total from letters where owner_id = {owner}"
    );
    let _ = sql!("select count(*) from shown_letters where id = {id}");
    let _ = sql!(
        "worth = {1} or id in (select id from shown_letters)",
        on = "stamps"
    );
    // On SQLite the sum of a bigint is one, on PostgreSQL it is not; a `?` is a placeholder there and an operator here.
    let _ = sql!(Total, "select sum(worth) as total from stamps");
    let _ = sql!("select count(*) from stamps where worth = ?");
}

const OF_BOTH: [(&str, &str); 9] = [
    (
        "the column body may be null, and the field is not an option (Careless)",
        "make the field `body` an `Option`, or the column `not null` in a migration",
    ),
    (
        "the column pages holds integers, and the field reads text (Careless)",
        "give the field `pages` another type, or the column in a migration",
    ),
    (
        "letters cannot be ordered by `recipient`: ",
        "correct the column, or the `on = \"…\"`, of LetterOrder",
    ),
    (
        "the statement may give null as body, and the field is not an option",
        "make the field `body` an `Option`, select `coalesce(body, …) as body`, or say `body is not null`",
    ),
    (
        "the statement gives null as worth where its outer join finds no row, and the field is not an option",
        "make the field `worth` an `Option`, or write an inner `join`",
    ),
    (
        "the statement gives the column id twice, and the field reads one of them",
        "select one of them, or name it apart with `as`",
    ),
    (
        "the column total holds text, and the field reads integers",
        "give the field `total` another type, or the column in a migration",
    ),
    (
        "the statement touches letters through the view shown_letters without naming its owner column owner_id in a condition",
        "add `owner_id = {…}` to its `where`, or say `unscoped = \"why\"` after the literal",
    ),
    (
        "the statement touches letters through the view shown_letters without naming its owner column owner_id in a condition",
        "add `owner_id = {…}` to its `where`, or say `unscoped = \"why\"` after the literal",
    ),
];

const OF_SQLITE: [(&str, &str); 1] = [(
    "the statement has a placeholder that no value is bound to",
    "write the value in braces in its place",
)];

const OF_POSTGRES: [(&str, &str); 2] = [
    (
        "the column total is of the type numeric, which no field reads",
        "cast it in the statement: `cast(… as bigint)`",
    ),
    (
        "the database cannot prepare this statement: ",
        "correct the statement, or add the migration that it needs",
    ),
];

#[tokio::test]
async fn tells_what_does_not_fit_the_schema_and_nothing_else() {
    for at in fresh().await {
        LETTERS.run(&at.db).await.expect("migrated");
        let mut said: Vec<(u32, String, String)> = check(&at.db)
            .await
            .into_iter()
            .filter_map(|fault| {
                let line = fault.place.strip_prefix(file!())?.strip_prefix(':')?;
                Some((line.parse().expect("a line"), fault.what, fault.fix))
            })
            .collect();
        said.sort();
        let of_one: &[_] = match at.name {
            "SQLite" => &OF_SQLITE,
            _ => &OF_POSTGRES,
        };
        let expected = OF_BOTH.iter().chain(of_one);
        assert_eq!(
            said.len(),
            expected.clone().count(),
            "{}: {said:#?}",
            at.name
        );
        for ((_, what, fix), (expected, cure)) in said.iter().zip(expected) {
            assert!(
                what.starts_with(expected),
                "{}: {what} is not {expected}",
                at.name
            );
            assert_eq!(fix, cure, "{}: {what}", at.name);
        }
    }
}

/// What is prepared for the check has other types than what is bound; a connection of the pool must not keep it.
#[tokio::test]
async fn leaves_no_prepared_statement_behind() {
    for at in fresh().await {
        LETTERS.run(&at.db).await.expect("migrated");
        check(&at.db).await;
        let (owner, small) = (Id::<Account>::new(), 7_i64);
        // At once, so that every connection of the pool takes part.
        let counts = (0..10).map(|_| async {
            sql!("select count(*) from letters where owner_id = {owner} and small = {small}")
                .one::<i64>(&at.db)
                .await
        });
        for count in futures_util::future::join_all(counts).await {
            assert_eq!(count.expect("the types fit"), 0, "{}", at.name);
        }
    }
}
