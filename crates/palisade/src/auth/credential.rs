//! What people prove themselves with beside the password: one table, by kind.

use std::time::Duration;

use time::OffsetDateTime;

use crate::access::{Account, Id};
use crate::db::{Bind, Db, Runs, Tx, Value, Writing};
use crate::error::Result;
use palisade_macros::{row, sql};

/// How long an enrolment may be confirmed.
pub(super) const ENROLMENT: Duration = Duration::from_secs(15 * 60);

/// Something that a person proves themselves with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Credential;

/// What kind of thing it is; its word stands in the column `kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// An authenticator app: `secret` is sealed, `counter` the step of the last code.
    Totp,
    /// A code to look up: `handle` is its hash. One alone is no second factor; it stands in for one.
    RecoveryCode,
}

/// A credential as it stands in the database.
#[row]
pub(super) struct Kept {
    pub(super) id: Id<Credential>,
    pub(super) secret: Vec<u8>,
    pub(super) counter: i64,
}

/// Keeps credentials, and moves them forward: each change is one statement that only one of many at once can win.
#[derive(Debug, Clone)]
pub(super) struct Credentials {
    db: Db,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::RecoveryCode => "recovery_code",
        }
    }
}

impl Bind for Kind {
    const NULL: Value = Value::Text(None);
    fn value(&self) -> Value {
        Value::Text(Some(self.name().to_owned()))
    }
}

impl Credentials {
    pub(super) fn new(db: Db) -> Self {
        Self { db }
    }

    /// Whether the account has a second factor that was confirmed.
    pub(super) async fn has_second_factor(&self, account: Id<Account>) -> Result<bool> {
        let count: i64 = sql!(
            "select count(*) from palisade_credentials
             where account_id = {account} and kind <> {Kind::RecoveryCode} and confirmed_at is not null"
        )
        .one(&self.db.reader())
        .await?;
        Ok(count > 0)
    }

    /// The one of this kind that was confirmed.
    pub(super) async fn confirmed(&self, account: Id<Account>, kind: Kind) -> Result<Option<Kept>> {
        sql!(
            Kept,
            "select id, secret, counter from palisade_credentials
             where account_id = {account} and kind = {kind} and secret is not null and confirmed_at is not null"
        )
        .optional(&self.db)
        .await
    }

    /// The one of this kind that waits to be confirmed.
    pub(super) async fn enrolled(&self, account: Id<Account>, kind: Kind) -> Result<Option<Kept>> {
        let since = OffsetDateTime::now_utc() - ENROLMENT;
        sql!(
            Kept,
            "select id, secret, counter from palisade_credentials
             where account_id = {account} and kind = {kind} and secret is not null and confirmed_at is null and created_at > {since}"
        )
        .optional(&self.db)
        .await
    }

    /// Puts one down that waits to be confirmed, in the place of the one that waited before.
    pub(super) async fn enroll(
        &self,
        account: Id<Account>,
        kind: Kind,
        secret: &[u8],
    ) -> Result<()> {
        let (id, now) = (Id::<Credential>::new(), OffsetDateTime::now_utc());
        sql!(
            "insert into palisade_credentials (id, account_id, kind, secret, counter, created_at)
             values ({id}, {account}, {kind}, {secret}, 0, {now})
             on conflict (account_id, kind) where confirmed_at is null do update
             set id = {id}, secret = {secret}, counter = 0, created_at = {now}"
        )
        .execute(&self.db)
        .await
        .map(drop)
    }

    /// Makes one count that waited, in the place of the one that counted before; tells whether it still waited.
    pub(super) async fn confirm(
        &self,
        tx: &Tx,
        account: Id<Account>,
        kind: Kind,
        id: Id<Credential>,
        counter: i64,
    ) -> Result<bool> {
        sql!(
            "delete from palisade_credentials
             where account_id = {account} and kind = {kind} and confirmed_at is not null and id <> {id}"
        )
        .execute(tx)
        .await?;
        let now = OffsetDateTime::now_utc();
        let confirmed = sql!(
            "update palisade_credentials set confirmed_at = {now}, last_used_at = {now}, counter = {counter}
             where id = {id} and confirmed_at is null"
        );
        Ok(confirmed.execute(tx).await? > 0)
    }

    /// Moves its counter forward; tells whether it was not there yet.
    pub(super) async fn advance(&self, id: Id<Credential>, counter: i64) -> Result<bool> {
        let now = OffsetDateTime::now_utc();
        let advanced = sql!(
            "update palisade_credentials set counter = {counter}, last_used_at = {now}
             where id = {id} and confirmed_at is not null and counter < {counter}"
        );
        Ok(advanced.execute(&self.db).await? > 0)
    }

    /// Seals its secret anew, unless it was changed in the meantime.
    pub(super) async fn reseal(&self, kept: &Kept, secret: &[u8]) -> Result<()> {
        sql!("update palisade_credentials set secret = {secret} where id = {kept.id} and secret = {kept.secret}")
            .execute(&self.db)
            .await
            .map(drop)
    }

    /// Puts these in the place of all of their kind; one such change of an account waits for another.
    pub(super) async fn replace(
        &self,
        tx: &Tx,
        account: Id<Account>,
        kind: Kind,
        handles: &[[u8; 32]],
    ) -> Result<()> {
        // PostgreSQL shows this transaction what the other one inserted only when it had to wait for a row of it.
        sql!("update palisade_credentials set counter = counter where account_id = {account} and confirmed_at is not null and kind <> {kind}")
            .execute(tx)
            .await?;
        remove(tx, account, kind).await?;
        let now = OffsetDateTime::now_utc();
        for handle in handles {
            let id = Id::<Credential>::new();
            sql!(
                "insert into palisade_credentials (id, account_id, kind, handle, counter, created_at, confirmed_at)
                 values ({id}, {account}, {kind}, {handle}, 0, {now}, {now})"
            )
            .execute(tx)
            .await?;
        }
        Ok(())
    }

    /// Takes the one with this handle away; tells whether it was there.
    pub(super) async fn spend(
        &self,
        account: Id<Account>,
        kind: Kind,
        handle: &[u8; 32],
    ) -> Result<bool> {
        let spent = sql!(
            "delete from palisade_credentials where account_id = {account} and kind = {kind} and handle = {handle}"
        );
        Ok(spent.execute(&self.db).await? > 0)
    }
}

/// Takes all of this kind away.
pub(super) async fn remove(
    db: &impl Runs<Writing>,
    account: Id<Account>,
    kind: Kind,
) -> Result<()> {
    sql!("delete from palisade_credentials where account_id = {account} and kind = {kind}")
        .execute(db)
        .await
        .map(drop)
}
