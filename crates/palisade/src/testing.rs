//! Proofs made by hand and throwaway databases, so that a unit test can call a handler like any function.
//!
//! Behind the feature `testing`: switch it on under `[dev-dependencies]` alone.
//!
//! # Security
//! What is made here proves nothing. A program that is built with this feature can forge any permission, so it belongs to
//! tests only.
//!
//! # Example
//! ```
//! use palisade::prelude::*;
//! use palisade::testing;
//!
//! #[output]
//! struct Hello { name: String }
//!
//! #[get("/hello")]
//! async fn hello(user: SignedIn) -> Result<Json<Hello>> {
//!     Ok(Json(Hello { name: user.id.to_string() }))
//! }
//!
//! testing::block_on(async {
//!     let id = Id::new();
//!     let Json(answer) = hello(testing::signed_in(id)).await.unwrap();
//!     assert_eq!(answer.name, id.to_string());
//! });
//! ```

use std::ops::Deref;

use crate::access::{
    Account, Actor, Can, Everywhere, Fresh, Id, Permission, Public, Scope, SignedIn,
};
use crate::auth::{self, ApiClient};
use crate::db::{Db, DbOptions, Migrations};
use crate::error::Result;
use crate::input::Timestamp;
use crate::secret::Secret;
use crate::secret::key::Key;

/// Runs a test's asynchronous part to its end, so that an app needs no runtime among its own dependencies.
///
/// # Panics
/// When the machine gives no runtime, and when the test does.
pub fn block_on<F: Future>(test: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("the asynchronous runtime starts")
        .block_on(test)
}

/// The guard of a handler that anybody may call.
pub fn public() -> Public {
    Public::new()
}

/// An actor without permissions, who proved themselves a moment ago.
pub fn actor(id: Id<Account>) -> Actor {
    Actor::new(id, [].into()).authenticated(Timestamp::now())
}

/// The guard of a caller with this account.
pub fn signed_in(id: Id<Account>) -> SignedIn {
    SignedIn::new(actor(id))
}

/// The guard of a caller with this account who proved themselves a moment ago.
pub fn fresh<const MINUTES: u64>(id: Id<Account>) -> Fresh<MINUTES> {
    Fresh::new(actor(id))
}

/// The guard of a program with a key of this account, as if the key had the scope.
pub fn api_client<S: Scope>(owner: Id<Account>) -> ApiClient<S> {
    ApiClient::new(Id::new(), Actor::new(owner, [].into()))
}

/// The proof that this account may do `A` to the object, as if its policy had said yes.
pub fn can<A, T>(object: T, by: Id<Account>) -> Can<A, T> {
    Can::new(object, actor(by))
}

/// The proof that this account has the permission, as if a role had given it.
pub fn may<P: Permission>(by: Id<Account>) -> Can<P> {
    let actor = Actor::new(by, [P::NAME].into());
    Can::new(Everywhere, actor.authenticated(Timestamp::now()))
}

/// A SQLite database in a folder of its own, with the framework's tables and the app's; dropping it deletes it.
#[derive(Debug)]
pub struct TestDb {
    db: Db,
    _folder: tempfile::TempDir,
}

impl TestDb {
    /// Makes the database and applies the app's migrations.
    ///
    /// # Errors
    /// When the temporary folder cannot be written, or a migration fails.
    pub async fn new(app: Migrations) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let url = Secret::new(format!(
            "sqlite:{}",
            folder.path().join("test.sqlite").display()
        ));
        let db = Db::open(DbOptions {
            url,
            cursor_key: Key::generate(),
        })
        .await?;
        auth::MIGRATIONS.run(&db).await?;
        app.run(&db).await?;
        Ok(Self {
            db,
            _folder: folder,
        })
    }

    /// Makes an account with this address; its password is known to nobody.
    ///
    /// # Errors
    /// When the address is taken.
    pub async fn account(&self, email: &str) -> Result<Id<Account>> {
        let (id, now) = (Id::<Account>::new(), time::OffsetDateTime::now_utc());
        let made = palisade_macros::sql!(
            "insert into palisade_accounts (id, email, password_hash, created_at) values ({id}, {email}, {\"!\"}, {now})"
        );
        made.execute(&self.db).await?;
        Ok(id)
    }
}

impl Deref for TestDb {
    type Target = Db;
    fn deref(&self) -> &Db {
        &self.db
    }
}
