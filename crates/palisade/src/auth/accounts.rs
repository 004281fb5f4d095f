//! Accounts: everything that they need, and who a request's bearer token speaks for.

use std::sync::Arc;

use http::header;
use http::request::Parts;

use super::jwt::{AccessTokens, Checked, TokenError};
use super::password::{BreachedPasswords, Passwords};
use crate::access::{Actor, Authenticated, Authenticator, Role};
use crate::config::Config;
use crate::db::{Db, Migration, Migrations, ReadDb};
use crate::error::{Error, Result};
use crate::event::Event;
use palisade_macros::{row, sql};

/// The tables that this room keeps.
pub(crate) const MIGRATIONS: Migrations = Migrations::of_framework(&[Migration {
    version: 1,
    file: "palisade/0001_accounts.sql",
    sql: include_str!("../../migrations/0001_accounts.sql"),
}]);

/// Everything that accounts need: passwords, tokens, roles and the database.
#[derive(Debug, Clone)]
pub struct Accounts {
    pub(super) passwords: Passwords,
    pub(super) tokens: AccessTokens,
    roles: Arc<[Role]>,
    db: Db,
}

impl Accounts {
    /// Makes ready; hashes one password.
    ///
    /// # Errors
    /// When the machine gives no randomness.
    pub fn new(config: &Config, roles: Vec<Role>, db: Db) -> Result<Self> {
        let (key, previous) = (&config.secret_key, config.secret_key_previous.as_ref());
        let tokens = AccessTokens::new(
            key,
            previous,
            &config.auth.issuer,
            config.auth.access_token_lifetime,
        );
        Ok(Self {
            passwords: Passwords::new(&config.auth)?,
            tokens,
            roles: roles.into(),
            db,
        })
    }

    /// Also refuses new passwords that this list knows from breaches.
    #[must_use]
    pub fn with_breached(mut self, list: Arc<dyn BreachedPasswords>) -> Self {
        self.passwords = self.passwords.with_breached(list);
        self
    }

    /// The bearer token of a request, checked.
    pub(super) fn bearer(&self, parts: &Parts) -> Result<Option<Checked>> {
        let token = bearer(parts)?;
        token
            .map(|token| self.tokens.check(token).map_err(refused))
            .transpose()
    }

    async fn actor(&self, parts: &Parts) -> Result<Option<Actor>> {
        let Some(checked) = self.bearer(parts)? else {
            return Ok(None);
        };
        let standing = sql!(
            Standing,
            "select r.role as role from palisade_accounts a
             left join palisade_account_roles r on r.account_id = a.id
             where a.id = {checked.account}
             and not exists (select 1 from palisade_revoked_tokens t where t.jti = {checked.jti})"
        );
        let standing = standing.at_most(64, &self.db.reader()).await?;
        if standing.is_empty() {
            Event::TokenRefused { reason: "revoked" }.emit();
            return Err(Error::unauthorized());
        }
        let held = |role: &&Role| {
            standing
                .iter()
                .any(|standing| standing.role.as_deref() == Some(role.name))
        };
        let permissions = self
            .roles
            .iter()
            .filter(held)
            .flat_map(|role| role.permissions.iter().copied());
        Ok(Some(Actor::new(checked.account, permissions.collect())))
    }
}

fn refused(error: TokenError) -> Error {
    let reason = match error {
        TokenError::Malformed => "malformed",
        TokenError::Invalid => "invalid",
        TokenError::Expired => "expired",
    };
    Event::TokenRefused { reason }.emit();
    Error::unauthorized()
}

/// The bearer token of RFC 6750, section 2.1: one header, one token.
fn bearer(parts: &Parts) -> Result<Option<&str>> {
    let mut values = parts.headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let text = value.to_str().map_err(|_| Error::unauthorized())?;
    match text.split_once(' ') {
        Some((scheme, token))
            if scheme.eq_ignore_ascii_case("bearer") && values.next().is_none() =>
        {
            Ok(Some(token))
        }
        _ => Err(Error::unauthorized()),
    }
}

impl Authenticator for Accounts {
    fn authenticate<'a>(&'a self, parts: &'a Parts) -> Authenticated<'a> {
        Box::pin(self.actor(parts))
    }
}

#[row]
struct Standing {
    role: Option<String>,
}

/// Roles that the database gives to somebody and the code does not know.
pub(crate) async fn unknown_roles(db: &ReadDb, known: &[Role]) -> Result<Vec<String>> {
    let held: Vec<String> = sql!("select distinct role from palisade_account_roles order by role")
        .at_most(1000, db)
        .await?;
    Ok(held
        .into_iter()
        .filter(|name| !known.iter().any(|role| role.name == name))
        .collect())
}

/// Whether one of the newest accounts has a password of a pepper that is not configured: nobody could sign in to it.
pub(crate) async fn unknown_pepper(db: &ReadDb, accounts: &Accounts) -> Result<bool> {
    let ids = accounts.passwords.peppers();
    let mut known = ids.iter().map(|id| format!("%,keyid={id}$%"));
    let nothing = || "nothing".to_owned();
    let (one, two) = (
        known.next().unwrap_or_else(nothing),
        known.next().unwrap_or_else(nothing),
    );
    let found: i64 = sql!(
        "select count(*) from (select password_hash from palisade_accounts order by id desc limit 10000) as newest
         where password_hash like {\"$argon2id$%,keyid=%\"}
         and password_hash not like {one} and password_hash not like {two}"
    )
    .one(db)
    .await?;
    Ok(found > 0)
}
