//! Accounts: everything that they need, and who a request's bearer token speaks for.

use std::sync::Arc;

use http::header;
use http::request::Parts;

use super::api_key::ApiKeys;
use super::device::Devices;
use super::jwt::{AccessTokens, Checked, Found, Hash, Standing, TokenError, Verified};
use super::lockout::Lockout;
use super::password::{BreachedPasswords, Passwords};
use super::refresh::RefreshTokens;
use super::sweep::Sweeper;
use crate::access::{Account, Actor, Authenticated, Authenticator, Id, Role};
use crate::config::Config;
use crate::db::{Db, Migration, Migrations, ReadDb};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::input::{Argument, Email, Incoming, ScopeInfo, Timestamp};
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
    Migration {
        version: 5,
        file: "palisade/0005_api_keys.sql",
        sql: include_str!("../../migrations/0005_api_keys.sql"),
    },
    Migration {
        version: 8,
        file: "palisade/0008_idempotency.sql",
        sql: include_str!("../../migrations/0008_idempotency.sql"),
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
    pub(super) api_keys: ApiKeys,
    verified: Arc<Verified>,
    roles: Arc<[Role]>,
    pub(super) db: Db,
}

/// The access token of this request, for ending it.
///
/// # Errors
/// 401 without a valid one.
#[derive(Debug)]
pub struct AccessToken(pub(super) Checked);

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
        let roles: Arc<[Role]> = roles.into();
        Ok(Self {
            passwords: Passwords::new(&config.auth)?,
            tokens,
            refresh: RefreshTokens::new(config, db.clone(), Arc::clone(&verified)),
            lockout: Lockout::new(config, db.clone()),
            devices: Devices::new(config),
            sweeper: Sweeper::new(&config.auth, db.clone()),
            api_keys: ApiKeys::new(&config.auth, Arc::clone(&roles), db.clone()),
            verified,
            roles,
            db,
        })
    }

    /// Also lets keys be made with the scopes that the app's routes ask for.
    #[must_use]
    pub fn with_scopes(mut self, scopes: &[ScopeInfo]) -> Self {
        self.api_keys = self.api_keys.with_scopes(scopes);
        self
    }

    /// The API keys of every account.
    #[must_use]
    pub fn api_keys(&self) -> &ApiKeys {
        &self.api_keys
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

    /// Looks this account and its API keys up anew at their next request: to be called when its roles were changed.
    pub fn forget(&self, account: Id<Account>) {
        self.api_keys.forget(account);
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
            (_, Found::Good(checked, standing)) if !anew => {
                return Ok(Some(acting(&checked, standing)));
            }
            (hash, Found::Signed(checked) | Found::Good(checked, _)) => (hash, checked),
            (_, Found::Nothing) => return Err(Error::unauthorized()),
        };
        let generation = self.verified.generation();
        let standing = self.standing(&checked).await?;
        let kept = standing.clone();
        self.verified.keep(hash, checked, kept, generation);
        Ok(Some(acting(&checked, standing)))
    }

    /// What the account may do and when it signed in, unless it, its sign-in or its token is gone.
    async fn standing(&self, checked: &Checked) -> Result<Standing> {
        let found = sql!(
            Held,
            "select r.role as role, f.created_at as authenticated_at from palisade_accounts a
             join palisade_token_families f on f.account_id = a.id
             left join palisade_account_roles r on r.account_id = a.id
             where a.id = {checked.account} and f.id = {checked.family}
             and not exists (select 1 from palisade_revoked_tokens t where t.jti = {checked.jti})"
        );
        let found = found.at_most(64, &self.db.reader()).await?;
        let Some(first) = found.first() else {
            Event::TokenRefused { reason: "revoked" }.emit();
            return Err(Error::unauthorized());
        };
        Ok(Standing {
            permissions: permissions(&self.roles, |name| {
                found.iter().any(|held| held.role.as_deref() == Some(name))
            }),
            authenticated_at: first.authenticated_at,
        })
    }
}

fn acting(checked: &Checked, standing: Standing) -> Actor {
    Actor::new(checked.account, standing.permissions).authenticated(standing.authenticated_at)
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

/// What the roles allow that somebody holds.
pub(super) fn permissions(roles: &[Role], holds: impl Fn(&str) -> bool) -> Arc<[&'static str]> {
    let held = roles.iter().filter(|role| holds(role.name));
    held.flat_map(|role| role.permissions.iter().copied())
        .collect()
}

/// The bearer token of RFC 6750, section 2.1: one header, one token.
pub(super) fn bearer(parts: &Parts) -> Result<Option<&str>> {
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
        Box::pin(self.actor(parts, false))
    }

    fn authenticate_anew<'a>(&'a self, parts: &'a Parts) -> Authenticated<'a> {
        Box::pin(self.actor(parts, true))
    }
}

#[row]
struct Held {
    role: Option<String>,
    authenticated_at: Timestamp,
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
