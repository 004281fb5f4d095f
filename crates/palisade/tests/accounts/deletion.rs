//! The end of an account: what goes with it, what stays, what keeps it from going, and a kill in the middle of it.

use std::time::{Duration, Instant};

use palisade::db::{Db, Migration};
use palisade::prelude::*;
use serde_json::{Value, json};

use crate::harness::{PASSWORD, Place, Served, place, places};

/// The tables of every resource of these tests: the accounts' own letters, with a foreign key that says nothing, and drawings that
/// outlive whoever made them.
pub(crate) const TABLES: Migration = Migration {
    version: 3,
    file: "0003_letters.sql",
    sql: "create table letters (
              id uuid primary key, owner_id uuid not null references palisade_accounts (id), subject text not null, secret text not null
          );
          create index letters_owner_id on letters (owner_id);
          create table stamps (id uuid primary key, letter_id uuid not null references letters (id) on delete cascade);
          create table drawings (id uuid primary key, artist_id uuid references palisade_accounts (id), title text not null);
          create table friends (
              account_id uuid not null references palisade_accounts (id) on delete cascade,
              friend_id uuid references palisade_accounts (id) on delete set null
          )",
};

#[resource(table = "letters", owner = "owner_id", export = LetterView)]
#[expect(dead_code, reason = "what is not shown is there to stay unseen")]
pub(crate) struct Letter {
    id: Id<Letter>,
    owner_id: Id<Account>,
    subject: String,
    secret: String,
}

/// What its owner gets of a letter.
#[output(from = Letter)]
pub(crate) struct LetterView {
    id: Id<Letter>,
    subject: String,
}

#[resource(table = "drawings", owner = "artist_id", on_delete = "detach")]
#[expect(dead_code, reason = "only its columns are compared")]
struct Drawing {
    id: Id<Drawing>,
    artist_id: Option<Id<Account>>,
    title: String,
}

pub(crate) async fn letter(db: &Db, owner: Id<Account>, subject: &str) {
    let (id, secret) = (Id::<Letter>::new(), "kept to ourselves");
    sql!("insert into letters (id, owner_id, subject, secret) values ({id}, {owner}, {subject}, {secret})")
        .execute(db)
        .await
        .expect("written");
    let stamp = Id::<()>::new();
    sql!("insert into stamps (id, letter_id) values ({stamp}, {id})")
        .execute(db)
        .await
        .expect("stamped");
}

/// So many letters, `letter 1` to the last, whose ids come in their order.
pub(crate) async fn many_letters(place: &Place, owner: Id<Account>, count: i64) {
    let id = match place.name {
        "SQLite" => "'01890000-0000-7000-8000-' || substr('000000000000' || n, -12)",
        _ => "('01890000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid",
    };
    let text = format!(
        "insert into letters (id, owner_id, subject, secret)
         with recursive c (n) as (select 1 union all select n + 1 from c where n < {count})
         select {id}, '{owner}', 'letter ' || n, 'x' from c"
    );
    place.raw(&text).await;
}

async fn drawing(db: &Db, artist: Id<Account>, title: &str) {
    let id = Id::<Drawing>::new();
    sql!("insert into drawings (id, artist_id, title) values ({id}, {artist}, {title})")
        .execute(db)
        .await
        .expect("drawn");
}

/// Rows of the account in each table: letters, stamps, drawings of its own, drawings of nobody, friends.
async fn rows(db: &Db, owner: Id<Account>) -> [i64; 5] {
    let letters = sql!("select count(*) from letters where owner_id = {owner}");
    let stamps = sql!(
        "select count(*) from stamps s join letters l on l.id = s.letter_id where l.owner_id = {owner}"
    );
    let own = sql!("select count(*) from drawings where artist_id = {owner}");
    let nobodys = sql!("select count(*) from drawings where artist_id is null");
    let friends = sql!("select count(*) from friends where account_id = {owner}");
    [
        letters.one(db).await.expect("counted"),
        stamps.one(db).await.expect("counted"),
        own.one(db).await.expect("counted"),
        nobodys.one(db).await.expect("counted"),
        friends.one(db).await.expect("counted"),
    ]
}

async fn with_rows(served: &Served, email: &str) -> (Id<Account>, String, String) {
    let signed_in = served.account(email).await;
    let token = signed_in.text_of("access_token");
    let id = served.id_of(&token).await;
    for number in 0..3 {
        letter(&served.db, id, &format!("letter {number}")).await;
    }
    drawing(&served.db, id, "a tree").await;
    (id, token, signed_in.text_of("refresh_token"))
}

async fn delete(served: &Served, token: &str, password: &str) -> u16 {
    let body = json!({"password": password});
    served
        .call("DELETE", "/auth/account", token, &body)
        .await
        .status
}

#[tokio::test(flavor = "multi_thread")]
async fn takes_what_belongs_to_the_account_and_nothing_else() {
    for place in places().await {
        let served = place.serve(&[]).await;
        let (ann, token, refresh) = with_rows(&served, "ann@example.org").await;
        let (bob, bobs, _) = with_rows(&served, "bob@example.org").await;
        for (of, friend) in [(ann, bob), (bob, ann)] {
            sql!("insert into friends (account_id, friend_id) values ({of}, {friend})")
                .execute(&served.db)
                .await
                .expect("befriended");
        }
        served.sign_in("ann@example.org", PASSWORD).await;
        assert_eq!(rows(&served.db, ann).await, [3, 3, 1, 0, 1]);

        assert_eq!(delete(&served, "", PASSWORD).await, 401);
        assert_eq!(delete(&served, &token, "not the password").await, 403);
        assert_eq!(served.me(&token).await.status, 200, "on {}", place.name);
        assert_eq!(delete(&served, &token, PASSWORD).await, 204);

        assert_eq!(
            rows(&served.db, ann).await,
            [0, 0, 0, 1, 0],
            "on {}",
            place.name
        );
        assert_eq!(rows(&served.db, bob).await, [3, 3, 1, 1, 1]);
        let gone: i64 = sql!(
            "select (select count(*) from palisade_accounts where id = {ann})
             + (select count(*) from palisade_token_families where account_id = {ann})"
        )
        .one(&served.db)
        .await
        .expect("counted");
        assert_eq!(gone, 0);
        assert_eq!(
            served.me(&token).await.status,
            401,
            "its tokens are worth nothing"
        );
        assert_eq!(served.refresh(&refresh).await.status, 401);
        assert_eq!(
            served.sign_in("ann@example.org", PASSWORD).await.status,
            401
        );
        assert_eq!(delete(&served, &token, PASSWORD).await, 401);
        assert_eq!(served.me(&bobs).await.status, 200);
        // The address is free again, and nothing of the old account comes back with it.
        let anew = served
            .account("ann@example.org")
            .await
            .text_of("access_token");
        assert_eq!(
            rows(&served.db, served.id_of(&anew).await).await,
            [0, 0, 0, 1, 0]
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn asks_for_a_fresh_proof_and_the_password() {
    let place = place().await;
    let served = place.serve(&[]).await;
    let token = served
        .account("ann@example.org")
        .await
        .text_of("access_token");
    let none = served
        .call("DELETE", "/auth/account", &token, &Value::Null)
        .await;
    assert_eq!(none.status, 415, "{}", none.text);
    let then = Timestamp::now().get() - Duration::from_secs(600);
    sql!("update palisade_token_families set created_at = {then}")
        .execute(&served.db)
        .await
        .expect("it is written");
    served.accounts.forget(served.id_of(&token).await);
    let body = json!({"password": PASSWORD});
    let stale = served.call("DELETE", "/auth/account", &token, &body).await;
    assert_eq!(
        stale.text_of("type"),
        "urn:palisade:problem:reauthentication-required"
    );
    assert_eq!(served.me(&token).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_at_once_deletes_once() {
    for place in places().await {
        let served = place.serve(&[]).await;
        let (ann, _, _) = with_rows(&served, "ann@example.org").await;
        let deletions = (0..20).map(|_| {
            let accounts = served.accounts.clone();
            tokio::spawn(async move { accounts.delete(ann).await.map_err(|error| error.status()) })
        });
        let mut done = 0;
        for deletion in deletions.collect::<Vec<_>>() {
            match deletion
                .await
                .expect("it ends")
                .map_err(|status| status.as_u16())
            {
                Ok(()) => done += 1,
                Err(404 | 503) => {}
                Err(status) => panic!("{status} on {}", place.name),
            }
        }
        assert_eq!(done, 1, "on {}", place.name);
    }
}

/// Names the database, and the account, to the process that is killed.
const TO_DELETE: &str = "PALISADE_TEST_TO_DELETE";

/// What makes the last statement of a deletion slow: its letters are gone by then, and the account is not.
fn slow(place: &Place) -> &'static [&'static str] {
    match place.name {
        "SQLite" => &[
            "create table many (n bigint)",
            "insert into many with recursive c (n) as (select 1 union all select n + 1 from c where n < 1000) select n from c",
            "create table written (n bigint)",
            "create trigger slow before delete on palisade_accounts begin
                 insert into written select a.n from many a, many b, many c;
             end",
        ],
        _ => &[
            "create function slow() returns trigger language plpgsql as 'begin perform pg_sleep(5); return old; end'",
            "create trigger slow before delete on palisade_accounts for each row execute function slow()",
        ],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_it_leaves_all_or_nothing() {
    if let Ok(told) = std::env::var(TO_DELETE) {
        return delete_as_told(&told).await;
    }
    for place in places().await {
        let served = place.serve(&[]).await;
        let token = served
            .account("ann@example.org")
            .await
            .text_of("access_token");
        let ann = served.id_of(&token).await;
        drawing(&served.db, ann, "a tree").await;
        many_letters(&place, ann, 1000).await;
        let (before, after) = ([1, 1000, 1, 0], [0, 0, 0, 1]);
        assert_eq!(at_once(&served.db, ann).await, before);
        for text in slow(&place) {
            place.raw(text).await;
        }
        let mut child = deleter(&place, ann);
        let begun = Instant::now();
        while !is_in_the_middle(&place).await {
            let ended = child.try_wait().expect("it can be asked");
            let waited = begun.elapsed() < Duration::from_secs(60);
            assert!(ended.is_none() && waited, "{}: {ended:?}", place.name);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
        assert_eq!(at_once(&served.db, ann).await, before, "on {}", place.name);
        // Waits for the server of the killed client to give up; then the killed one is in nobody's way.
        place
            .raw(match place.name {
                "SQLite" => "drop trigger slow",
                _ => "drop trigger slow on palisade_accounts",
            })
            .await;
        assert_eq!(at_once(&served.db, ann).await, before, "on {}", place.name);
        served.accounts.delete(ann).await.expect("deleted");
        assert_eq!(at_once(&served.db, ann).await, after, "on {}", place.name);
    }
}

/// Whether the deletion has come to its last statement.
async fn is_in_the_middle(place: &Place) -> bool {
    if place.name == "SQLite" {
        let log = format!("{}-wal", place.url.trim_start_matches("sqlite:"));
        return std::fs::metadata(log).is_ok_and(|log| log.len() > 8 << 20);
    }
    let running = place.count(
        "select count(*) from pg_stat_activity where datname = current_database() and state = 'active'
         and query like 'delete from palisade_accounts%'",
    );
    running.await > 0
}

/// The account, its letters, its drawings and those of nobody, as they are at one moment.
async fn at_once(db: &Db, account: Id<Account>) -> [i64; 4] {
    let found = sql!(
        AtOnce,
        "select (select count(*) from palisade_accounts where id = {account}) as accounts,
         (select count(*) from letters where owner_id = {account}) as letters,
         (select count(*) from drawings where artist_id = {account}) as drawings,
         (select count(*) from drawings where artist_id is null) as nobodys"
    );
    let found = found.one(db).await.expect("counted");
    [found.accounts, found.letters, found.drawings, found.nobodys]
}

#[row]
struct AtOnce {
    accounts: i64,
    letters: i64,
    drawings: i64,
    nobodys: i64,
}

fn deleter(place: &Place, account: Id<Account>) -> std::process::Child {
    let this = std::env::current_exe().expect("this program");
    std::process::Command::new(this)
        .args([
            "--exact",
            "deletion::killed_in_the_middle_it_leaves_all_or_nothing",
        ])
        .env(TO_DELETE, format!("{} {account}", place.url))
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("it starts")
}

async fn delete_as_told(told: &str) {
    let (url, account) = told.split_once(' ').expect("a database and an account");
    let place = Place::at(url);
    let started = place
        .app(&[])
        .expect("built")
        .start()
        .await
        .expect("started");
    let found: Id<Account> =
        sql!("select id from palisade_accounts where email = 'ann@example.org'")
            .one(started.db())
            .await
            .expect("she is there");
    assert_eq!(found.to_string(), account);
    started.accounts().delete(found).await.expect("deleted");
}

/// What an account could not be deleted for is told at the start.
#[tokio::test(flavor = "multi_thread")]
async fn is_refused_at_the_start_where_something_would_hold_the_account() {
    const HELD: &[&str] = &[
        "create table invoices (id uuid primary key, payer_id uuid not null references palisade_accounts (id))",
        "create table seals (id uuid primary key, letter_id uuid references letters (id))",
        "create table notes_of_friends (account_id uuid not null references palisade_accounts (id) on delete set null)",
        "create table wax (id uuid primary key, stamp_id uuid references stamps (id) on delete restrict)",
    ];
    for place in places().await {
        let started = place
            .app(&[])
            .expect("built")
            .start()
            .await
            .expect("nothing holds it yet");
        for table in HELD {
            place.raw(table).await;
        }
        let refusal = place
            .app(&[])
            .expect("built")
            .start()
            .await
            .expect_err("refused")
            .to_string();
        for told in [
            "the column payer_id keeps rows of palisade_accounts from being removed, so an account could not be deleted",
            "or declare `#[resource(table = \"invoices\", owner = \"payer_id\")]`",
            "the column letter_id keeps rows of letters from being removed",
            "the column account_id keeps rows of palisade_accounts from being removed",
            "the column stamp_id keeps rows of stamps from being removed",
        ] {
            assert!(
                refusal.contains(told),
                "{told} on {}: {refusal}",
                place.name
            );
        }
        assert_eq!(refusal.matches("keeps rows").count(), 4, "{refusal}");
        drop(started);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn detaches_only_what_may_be_without_an_owner() {
    let place = place().await;
    drop(
        place
            .app(&[])
            .expect("built")
            .start()
            .await
            .expect("started"),
    );
    place.raw("drop table drawings").await;
    place.raw(
        "create table drawings (id uuid primary key, artist_id uuid not null references palisade_accounts (id), title text not null)",
    )
    .await;
    let refusal = place
        .app(&[])
        .expect("built")
        .start()
        .await
        .expect_err("refused")
        .to_string();
    assert!(
        refusal.contains("the rows of drawings are to be detached when their owner is deleted, and the column artist_id cannot be null"),
        "{refusal}"
    );
}
