//! The tokens of mails: good once, for one purpose and one account, and the newest alone.

use http::StatusCode;
use time::OffsetDateTime;

use super::Mails;
use crate::access::{Account, Id};
use crate::auth::password::PasswordHash;
use crate::auth::presented::Presented;
use crate::auth::routes::address;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::input::Email;
use crate::secret::compare;
use crate::secret::key::Key;
use crate::secret::token::Token;
use palisade_macros::{row, sql};

/// What a token of a mail is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::auth) enum Purpose {
    /// The address is the account's.
    Verify,
    /// Another password.
    Reset,
    /// Another address, sent to that address.
    Change,
    /// The old address again, sent to the old one.
    Cancel,
}

/// An account as its mails need to know it.
#[row]
#[derive(Clone)]
pub(in crate::auth) struct Owner {
    pub(in crate::auth) id: Id<Account>,
    pub(in crate::auth) email: Email,
    pub(in crate::auth) password_hash: PasswordHash,
    pub(in crate::auth) email_verified_at: Option<OffsetDateTime>,
}

/// A token that was found good, not yet used.
pub(in crate::auth) struct Held {
    hash: [u8; 32],
    purpose: Purpose,
    pub(in crate::auth) owner: Owner,
    /// The address that it is about, when that is not the account's.
    pub(in crate::auth) email: Option<Email>,
}

#[row]
struct Kept {
    subject: Vec<u8>,
    email: Option<Email>,
    password_mark: Vec<u8>,
    expires_at: OffsetDateTime,
    id: Id<Account>,
    own_email: Email,
    password_hash: PasswordHash,
    email_verified_at: Option<OffsetDateTime>,
}

impl Purpose {
    pub(in crate::auth) const fn name(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Reset => "reset",
            Self::Change => "change",
            Self::Cancel => "cancel",
        }
    }

    /// Whether a changed password ends it.
    const fn needs_same_password(self) -> bool {
        matches!(self, Self::Reset | Self::Change)
    }
}

impl Mails {
    /// The account with this address.
    pub(in crate::auth) async fn owner_of(&self, tx: &Tx, email: &Email) -> Result<Option<Owner>> {
        sql!(
            Owner,
            "select id, email, password_hash, email_verified_at from palisade_accounts where email = {address(email)}"
        )
        .optional(tx)
        .await
    }

    /// Makes a token in the place of the one before it. Without an owner it is good for nothing, and costs the same.
    ///
    /// `email` is the address that it is about, where that is not the owner's.
    pub(in crate::auth) async fn issue(
        &self,
        tx: &Tx,
        purpose: Purpose,
        to: &Email,
        owner: Option<&Owner>,
        email: Option<&Email>,
    ) -> Result<Token> {
        let token = Token::new();
        let subject = match (purpose, owner) {
            // A second change takes the place of the first, whatever addresses they name.
            (Purpose::Change, Some(owner)) => self
                .key()
                .sign(format!("account {}", owner.id.uuid()).as_bytes()),
            // An account of somebody else with this address takes the place of nothing.
            (Purpose::Cancel, Some(owner)) => self
                .key()
                .sign(format!("account {} {}", owner.id.uuid(), address(to)).as_bytes()),
            _ => address_mark(self.key(), to),
        };
        let account = owner.map(|owner| owner.id);
        let mark = owner.map_or([0; 32], |owner| owner.password_hash.mark());
        let email = email.map(address);
        let expires = OffsetDateTime::now_utc() + self.lifetime(purpose);
        sql!(
            "insert into palisade_mail_tokens (subject, purpose, token_hash, account_id, email, password_mark, expires_at)
             values ({subject}, {purpose.name()}, {token.hash()}, {account}, {email}, {mark}, {expires})
             on conflict (subject, purpose) do update set token_hash = excluded.token_hash, account_id = excluded.account_id,
             email = excluded.email, password_mark = excluded.password_mark, expires_at = excluded.expires_at"
        )
        .execute(tx)
        .await?;
        Ok(token)
    }

    /// Whether the newest token that went to this address is good yet; one of a change always counts as good, since it is the account's.
    pub(super) async fn is_live(&self, tx: &Tx, purpose: Purpose, to: &Email) -> Result<bool> {
        let (subject, now) = (address_mark(self.key(), to), OffsetDateTime::now_utc());
        let live: i64 = sql!(
            "select count(*) from palisade_mail_tokens where subject = {subject} and purpose = {purpose.name()} and expires_at > {now}"
        )
        .one(tx)
        .await?;
        Ok(live > 0 || purpose == Purpose::Change)
    }

    /// What this token is good for now.
    ///
    /// # Errors
    /// 400 when it is unknown, used, replaced, over, or the account is not what it was: one answer for all.
    pub(in crate::auth) async fn find(
        &self,
        purpose: Purpose,
        presented: &Presented,
    ) -> Result<Held> {
        let refused = |reason| refused(purpose, reason);
        let token = Token::parse(presented.expose()).ok_or_else(|| refused("malformed"))?;
        let hash = token.hash();
        let kept = sql!(
            Kept,
            "select t.subject as subject, t.email as email, t.password_mark as password_mark, t.expires_at as expires_at,
             a.id as id, a.email as own_email, a.password_hash as password_hash, a.email_verified_at as email_verified_at
             from palisade_mail_tokens t join palisade_accounts a on a.id = t.account_id
             where t.token_hash = {hash} and t.purpose = {purpose.name()}
             and (a.disabled_at is null or t.purpose = 'cancel')"
        );
        let kept = kept
            .optional(&self.0.db)
            .await?
            .ok_or_else(|| refused("unknown"))?;
        if kept.expires_at <= OffsetDateTime::now_utc() {
            return Err(refused("expired"));
        }
        let mark = kept.password_hash.mark();
        if purpose.needs_same_password() && !compare::equal(mark, &kept.password_mark) {
            return Err(refused("password_changed"));
        }
        let of_address = matches!(purpose, Purpose::Verify | Purpose::Reset);
        let same = |key: &Key| compare::equal(address_mark(key, &kept.own_email), &kept.subject);
        if of_address && !self.0.keys.iter().any(same) {
            return Err(refused("email_changed"));
        }
        Ok(Held {
            hash,
            purpose,
            email: kept.email,
            owner: Owner {
                id: kept.id,
                email: kept.own_email,
                password_hash: kept.password_hash,
                email_verified_at: kept.email_verified_at,
            },
        })
    }

    /// Uses it up; of several that come with it at once, one does.
    ///
    /// # Errors
    /// 400 when another was first.
    pub(in crate::auth) async fn use_up(&self, tx: &Tx, held: &Held) -> Result<()> {
        let purpose = held.purpose.name();
        let used = sql!("delete from palisade_mail_tokens where token_hash = {held.hash} and purpose = {purpose}")
            .execute(tx)
            .await?;
        if used == 0 {
            return Err(refused(held.purpose, "used"));
        }
        Ok(())
    }

    /// Ends every other token of an account, but not those by which the owner of an old address takes it back.
    pub(in crate::auth) async fn end(&self, tx: &Tx, account: Id<Account>) -> Result<()> {
        let kept = Purpose::Cancel.name();
        sql!("delete from palisade_mail_tokens where account_id = {account} and purpose <> {kept}")
            .execute(tx)
            .await
            .map(drop)
    }

    /// Ends every token of an account.
    pub(in crate::auth) async fn end_all(&self, tx: &Tx, account: Id<Account>) -> Result<()> {
        sql!("delete from palisade_mail_tokens where account_id = {account}")
            .execute(tx)
            .await
            .map(drop)
    }

    /// The current key, which there always is.
    fn key(&self) -> &Key {
        &self.0.keys[0]
    }
}

fn address_mark(key: &Key, email: &Email) -> [u8; 32] {
    key.sign(format!("address {}", address(email)).as_bytes())
}

/// One answer, whatever the reason.
fn refused(purpose: Purpose, reason: &'static str) -> Error {
    let purpose = purpose.name();
    Event::RecoveryRefused { purpose, reason }.emit();
    Error::new(
        StatusCode::BAD_REQUEST,
        "invalid-token",
        "The token is not valid",
    )
    .with_detail("it was used, replaced by a newer one, or its time is over: ask for another mail")
}
