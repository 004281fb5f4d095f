//! Accounts: everything that they need, and who a request's bearer token speaks for.

use std::sync::Arc;

use http::header;
use http::request::Parts;

use super::device::Devices;
use super::jwt::{AccessTokens, Checked, Found, Hash, TokenError, Verified};
use super::lockout::Lockout;
use super::password::{BreachedPasswords, Passwords};
use super::refresh::RefreshTokens;
use super::sweep::Sweeper;
use crate::access::{Account, Actor, Authenticated, Authenticator, Id, Role};
use crate::config::Config;
use crate::db::{Db, Migration, Migrations, ReadDb};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::input::{Argument, Email, Incoming};
use palisade_macros::{row, sql};

/// The tables that this room keeps.
pub(crate) const MIGRATIONS: Migrations = Migrations::of_framework(&[
    Migration {
        version: 1,
        file: "palisade/0001_accounts.sql",
        sql: include_str!("../../migrations/0001_accounts.sql"),
    },
    Migration {
        version: 2,
        file: "palisade/0002_refresh_tokens.sql",
        sql: include_str!("../../migrations/0002_refresh_tokens.sql"),
    },
    Migration {
        version: 3,
        file: "palisade/0003_sign_in_attempts.sql",
        sql: include_str!("../../migrations/0003_sign_in_attempts.sql"),
    },
]);

/// Everything that accounts need: passwords, tokens, roles and the database.
#[derive(Debug, Clone)]
pub struct Accounts {
    pub(super) passwords: Passwords,
    pub(super) tokens: AccessTokens,
    pub(super) refresh: RefreshTokens,
    pub(super) lockout: Lockout,
    pub(super) devices: Devices,
    pub(super) sweeper: Sweeper,
    verified: Arc<Verified>,
    roles: Arc<[Role]>,
    db: Db,
}

/// The access token of this request, for ending it.
///
/// # Errors
/// 401 without a valid one.
#[derive(Debug)]
pub struct AccessToken(Checked);

/// Whoever takes it can end sessions and lift locks, so it counts as writing.
impl Argument for Accounts {
    const WRITES: bool = true;

    async fn take(incoming: &mut Incoming) -> Result<Self> {
        incoming.own()
    }
}

impl Argument for AccessToken {
    async fn take(incoming: &mut Incoming) -> Result<Self> {
        let accounts: Accounts = incoming.own()?;
        let token = bearer(incoming.parts())?.ok_or_else(Error::unauthorized)?;
        accounts.checked(token).map(|(_, found)| match found {
            Found::Good(checked, _) | Found::Signed(checked) => Ok(Self(checked)),
            Found::Nothing => Err(Error::unauthorized()),
        })?
    }
}

impl Accounts {
    /// Makes ready.
    ///
    /// # Errors
    /// When the machine gives no thread, or the secret key is one that cannot sign.
    pub fn new(config: &Config, roles: Vec<Role>, db: Db) -> Result<Self> {
        let tokens = AccessTokens::new(
            config.auth.token_algorithm,
            &config.secret_key,
            config.secret_key_previous.as_ref(),
            &config.auth.issuer,
            config.auth.access_token_lifetime,
        )?;
        let verified = Arc::new(Verified::new(config.auth.recheck_after));
        Ok(Self {
            passwords: Passwords::new(&config.auth)?,
            tokens,
            refresh: RefreshTokens::new(config, db.clone(), Arc::clone(&verified)),
            lockout: Lockout::new(config, db.clone()),
            devices: Devices::new(config),
            sweeper: Sweeper::new(&config.auth, db.clone()),
            verified,
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

    /// Ends the sign-in that this access token came from: the token itself, every other of its family, and the refresh token.
    ///
    /// # Errors
    /// 500 or 503 when the database fails; nothing has ended then.
    pub async fn sign_out(&self, token: &AccessToken) -> Result<()> {
        self.refresh.revoke(token.0.family).await.map(drop)
    }

    /// Ends every sign-in of an account, as after a changed password.
    ///
    /// # Errors
    /// 500 or 503 when the database fails; nothing has ended then.
    pub async fn sign_out_everywhere(&self, account: Id<Account>) -> Result<()> {
        if self.refresh.revoke_all(account).await? > 0 {
            let account = account.uuid();
            Event::TokensRevoked { account }.emit();
        }
        Ok(())
    }

    /// Ends this one access token, and nothing else of its sign-in.
    ///
    /// # Errors
    /// 500 or 503 when the database fails; it has not ended then.
    pub async fn revoke(&self, token: &AccessToken) -> Result<()> {
        let Checked { jti, expires, .. } = token.0;
        sql!(
            "insert into palisade_revoked_tokens (jti, expires_at) values ({jti}, {expires})
             on conflict (jti) do nothing"
        )
        .execute(&self.db)
        .await?;
        self.verified.forget(|checked| checked.jti == jti);
        Ok(())
    }

    /// Forgets the failed sign-ins of the account with this address, as after a reset of its password.
    ///
    /// # Errors
    /// 500 or 503 when the database fails.
    pub async fn unlock(&self, email: &Email) -> Result<()> {
        self.lockout.unlock(&email.to_ascii_lowercase()).await
    }

    /// Looks this account up anew at its next request: to be called when its roles were changed.
    pub fn forget(&self, account: Id<Account>) {
        self.verified.forget(|checked| checked.account == account);
    }

    /// What is known of a token, its signature checked.
    fn checked(&self, token: &str) -> Result<(Hash, Found)> {
        let (hash, found) = self.verified.find(token);
        let found = match found {
            Found::Nothing => Found::Signed(self.tokens.check(token).map_err(refused)?),
            found => found,
        };
        Ok((hash, found))
    }

    async fn actor(&self, parts: &Parts, anew: bool) -> Result<Option<Actor>> {
        let Some(token) = bearer(parts)? else {
            return Ok(None);
        };
        let (hash, checked) = match self.checked(token)? {
            (_, Found::Good(checked, permissions)) if !anew => {
                return Ok(Some(Actor::new(checked.account, permissions)));
            }
            (hash, Found::Signed(checked) | Found::Good(checked, _)) => (hash, checked),
            (_, Found::Nothing) => return Err(Error::unauthorized()),
        };
        let generation = self.verified.generation();
        let permissions = self.standing(&checked).await?;
        let kept = Arc::clone(&permissions);
        self.verified.keep(hash, checked, kept, generation);
        Ok(Some(Actor::new(checked.account, permissions)))
    }

    /// What the account may do, unless it, its sign-in or its token is gone.
    async fn standing(&self, checked: &Checked) -> Result<Arc<[&'static str]>> {
        let standing = sql!(
            Standing,
            "select r.role as role from palisade_accounts a
             join palisade_token_families f on f.account_id = a.id
             left join palisade_account_roles r on r.account_id = a.id
             where a.id = {checked.account} and f.id = {checked.family}
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
        let roles = self.roles.iter().filter(held);
        Ok(roles
            .flat_map(|role| role.permissions.iter().copied())
            .collect())
    }
}

fn refused(error: TokenError) -> Error {
    let reason = match error {
        TokenError::Malformed => "malformed",
        TokenError::Invalid => "invalid",
        TokenError::Expired => "expired",
        TokenError::Claims => "claims",
        TokenError::Key => "key",
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
    let text = value.to_str().map_err(|_| refused(TokenError::Malformed))?;
    match text.split_once(' ') {
        Some((scheme, token))
            if scheme.eq_ignore_ascii_case("bearer") && values.next().is_none() =>
        {
            Ok(Some(token))
        }
        _ => Err(refused(TokenError::Malformed)),
    }
}

impl Authenticator for Accounts {
    fn authenticate<'a>(&'a self, parts: &'a Parts) -> Authenticated<'a> {
        Box::pin(self.actor(parts, false))
    }

    fn authenticate_anew<'a>(&'a self, parts: &'a Parts) -> Authenticated<'a> {
        Box::pin(self.actor(parts, true))
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
