//! Declared types in columns: a struct as JSON, a choice as its name.

use palisade::db::{Migration, Migrations};
use palisade::prelude::*;

use super::fresh;

const ORDERS: Migrations = Migrations::of_app(&[Migration {
    version: 1,
    file: "0001_orders.sql",
    sql: "create table orders (
        id uuid primary key, owner_id uuid not null, status text not null check (status in ('draft', 'in-review', 'sent')),
        previous text, address jsonb not null, other jsonb, payment jsonb not null,
        history jsonb not null, addresses jsonb not null, named jsonb not null, placed timestamptz)",
}]);

#[input]
#[output]
#[derive(Debug, Clone, PartialEq)]
struct Address {
    street: Text<1, 80>,
    #[garde(range(min = 1, max = 9999))]
    #[output(rename = "no")]
    #[input(rename = "no")]
    number: u16,
    floor: Option<Int<0, 200>>,
}

#[output]
#[input]
#[derive(Debug, Clone, Copy, PartialEq)]
enum Status {
    Draft,
    #[input(rename = "in-review")]
    #[output(rename = "in-review")]
    InReview,
    Sent,
}

#[input(tag = "kind", rename_all = "camelCase")]
#[output(tag = "kind", rename_all = "camelCase")]
#[derive(Debug, Clone, PartialEq)]
enum Payment {
    Invoice { sent_to: Address },
    Cash {},
}

#[resource(table = "orders", owner = "owner_id")]
#[derive(Debug, Clone, PartialEq)]
struct Order {
    id: Id<Order>,
    owner_id: Id<Account>,
    status: Status,
    previous: Option<Status>,
    address: Address,
    other: Option<Address>,
    payment: Payment,
    history: List<Status, 5>,
    addresses: List<Address, 5>,
    named: Map<Slug, Address, 5>,
}

/// The same types go in, are kept, and go out.
#[output(from = Order)]
struct OrderView {
    status: Status,
    previous: Option<Status>,
    address: Address,
    payment: Payment,
    history: List<Status, 5>,
}

#[input]
struct NewOrder {
    status: Status,
    previous: Option<Status>,
    address: Address,
    other: Option<Address>,
    payment: Payment,
    history: List<Status, 5>,
    addresses: List<Address, 5>,
    named: Map<Slug, Address, 5>,
}

const SENT: &str = r#"{
    "status": "in-review",
    "previous": "draft",
    "address": {"street": "Ann's \"street\" \\ \u00fc", "no": 9999, "floor": 0},
    "payment": {"kind": "invoice", "sentTo": {"street": "x", "no": 1}},
    "history": ["draft", "in-review"],
    "addresses": [{"street": "y", "no": 2}],
    "named": {"home": {"street": "z", "no": 3}}
}"#;

fn read<T: palisade::db::Column>(json: &str) -> T {
    let cell = palisade::db::Cell::Text(json.to_owned());
    T::read(cell).expect("it is of this type")
}

async fn place(db: &Db, new: &NewOrder) -> Result<Order> {
    sql!(
        "insert into orders (id, owner_id, status, previous, address, other, payment, history, addresses, named)
         values ({Id::<Order>::new()}, {Id::<Account>::new()}, {new.status}, {new.previous}, {new.address},
                 {new.other}, {new.payment}, {new.history}, {new.addresses}, {new.named}) returning *"
    )
    .one(db)
    .await
}

#[tokio::test]
async fn keeps_declared_types() {
    for at in fresh().await {
        ORDERS.run(&at.db).await.expect("migrated");
        let new: NewOrder = read(SENT);
        let made = place(&at.db, &new).await.expect("placed");
        assert_eq!(made.status, Status::InReview);
        assert_eq!(made.previous, Some(Status::Draft));
        assert_eq!((&made.address, &made.other), (&new.address, &new.other));
        assert_eq!(made.payment, new.payment, "{}", at.name);
        assert_eq!(
            (&made.history, &made.addresses),
            (&new.history, &new.addresses)
        );
        assert_eq!(made.named, new.named);
        let owner = made.owner_id;
        let found: Order =
            sql!("select * from orders where owner_id = {owner} and status = {Status::InReview}")
                .one(&at.db)
                .await
                .expect("a choice is compared by its name");
        assert_eq!(found, made);
        let view =
            palisade::output::Reply::reply(Json(OrderView::from(found))).expect("it is written");
        assert_eq!(view.status(), 200);
        let none = sql!("select placed from orders where owner_id = {owner}")
            .one::<Option<Timestamp>>(&at.db)
            .await;
        assert_eq!(none.expect("a scalar"), None);
    }
}

#[tokio::test]
async fn stores_the_names_of_the_wire() {
    for at in fresh().await {
        ORDERS.run(&at.db).await.expect("migrated");
        let made = place(&at.db, &read(SENT)).await.expect("placed");
        let owner = made.owner_id;
        let status: String = sql!("select status from orders where owner_id = {owner}")
            .one(&at.db)
            .await
            .expect("read");
        assert_eq!(status, "in-review", "{}", at.name);
        let street: String =
            sql!("select payment -> 'sentTo' ->> 'street' from orders where owner_id = {owner}")
                .one(&at.db)
                .await
                .expect("the database looks into it");
        assert_eq!(street, "x", "{}", at.name);
    }
}

#[row]
#[derive(Debug)]
#[expect(dead_code, reason = "it is never read to its end")]
struct Kept {
    status: Status,
    address: Address,
}

/// Reads these two as if an older or newer release had stored them.
async fn kept(db: &Db, status: &str, address: &str) -> Result<Kept> {
    sql!(
        Kept,
        "select cast({status} as text) as status, cast({address} as text) as address"
    )
    .one(db)
    .await
}

#[tokio::test]
async fn answers_what_it_cannot_read_by_a_silent_500() {
    let good = r#"{"street": "x", "no": 1}"#;
    for at in fresh().await {
        kept(&at.db, "sent", good).await.expect("both are good");
        // A member that the type no longer has is passed over, so that taking one away keeps the rows.
        kept(
            &at.db,
            "sent",
            r#"{"street": "x", "no": 1, "zip": "MARKED"}"#,
        )
        .await
        .expect("it is passed over");
        for (status, address) in [
            ("MARKED", good),
            ("Sent", good),
            ("", good),
            ("sent", "MARKED"),
            ("sent", "null"),
            ("sent", "[]"),
            ("sent", r#"{"street": "MARKED"}"#),
            ("sent", r#"{"street": "MARKED", "no": 0}"#),
            ("sent", r#"{"street": 5, "no": 1}"#),
        ] {
            let error = kept(&at.db, status, address)
                .await
                .expect_err("it cannot be read");
            assert_eq!(error.status(), 500, "{status} {address}");
            let mut said = format!("{error:?}");
            let mut source = error.cause().map(|cause| cause as &dyn std::error::Error);
            while let Some(cause) = source {
                said.push_str(&cause.to_string());
                source = cause.source();
            }
            assert!(
                said.contains("column") && !said.contains("MARKED"),
                "{}: {said}",
                at.name
            );
        }
    }
}

/// An output of somebody's own that fails to be written.
struct Failing;

impl palisade::output::OutputField for Failing {
    fn show<S: serde::Serializer>(&self, _: S) -> std::result::Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("it fails"))
    }
}

impl palisade::input::Field for Failing {
    fn read(_: palisade::input::Node, _: &mut palisade::input::Reader) -> Option<Self> {
        Some(Self)
    }
}

#[tokio::test]
async fn stores_no_null_in_the_place_of_what_cannot_be_written() {
    for at in fresh().await {
        ORDERS.run(&at.db).await.expect("migrated");
        let failing: List<Failing, 1> = read("[1]");
        let error = sql!("select 1 where {failing} is null")
            .optional::<i64>(&at.db)
            .await
            .expect_err("it cannot be bound");
        assert_eq!(error.status(), 500, "{}", at.name);
    }
}
