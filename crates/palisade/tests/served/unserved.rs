//! Handlers and policies called like functions, without a server.

use palisade::prelude::*;
use palisade::testing::{self, TestDb};

use crate::app::{NewThing, THINGS, Thing, create, show};

#[tokio::test]
async fn a_handler_is_called_like_any_function() {
    let db = TestDb::new(THINGS).await.expect("a database");
    let ann = db.account("ann@example.com").await.expect("an account");
    let new = NewThing {
        name: Text::parse("mine").expect("a name"),
    };
    let Created(made) = create(testing::signed_in(ann), db.clone(), Json(new))
        .await
        .expect("made");
    let thing: Thing = sql!("select * from things where owner_id = {ann}")
        .one(&*db)
        .await
        .expect("kept");
    assert!(
        Permit::<Read>::permits(&thing, &testing::actor(ann), &db.reader())
            .await
            .expect("asked")
    );
    assert!(
        !Permit::<Read>::permits(&thing, &testing::actor(Id::new()), &db.reader())
            .await
            .expect("asked")
    );
    let Json(shown) = show(testing::can(thing, ann)).await.expect("shown");
    assert_eq!(shown, made);
    takes_a_guard(testing::public());
}

/// A guard is a value: it can be handed on, and made by hand in tests alone.
fn takes_a_guard(_: Public) {}
