//! Accounts: everything that they need, and who a request's token or session speaks for.

use std::sync::Arc;

use http::request::Parts;
use uuid::Uuid;

use super::api_key::ApiKeys;
use super::device::Devices;
use super::jwt::{AccessTokens, Checked, TokenError};
use super::lockout::Lockout;
use super::mails::{Mails, Templates};
use super::password::{BreachedPasswords, Passwords};
use super::refresh::RefreshTokens;
use super::second_factor::SecondFactors;
use super::session::{Current, Kept, Seen, Session, Sessions, refused as session_refused};
use super::shown::{Shown, shown};
use super::sweep::Sweeper;
use super::verified::{Found, Hash, Standing, Verified};
use crate::access::{Account, Actor, Authenticated, Authenticator, Factor, Id, Role};
use crate::config::Config;
use crate::db::{Db, Migration, Migrations, ReadDb, Tx};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::input::{Argument, Email, Incoming, ScopeInfo, Timestamp};
use crate::mail::Outbox;
use crate::secret::token::Token;
use palisade_macros::{row, sql};

/// The table of the accounts themselves.
pub(crate) const ACCOUNTS: &str = "palisade_accounts";

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
        version: 4,
        file: "palisade/0004_sessions.sql",
        sql: include_str!("../../migrations/0004_sessions.sql"),
    },
    Migration {
        version: 5,
        file: "palisade/0005_api_keys.sql",
        sql: include_str!("../../migrations/0005_api_keys.sql"),
    },
    Migration {
        version: 6,
        file: "palisade/0006_mail_tokens.sql",
        sql: include_str!("../../migrations/0006_mail_tokens.sql"),
    },
    Migration {
        version: 7,
        file: "palisade/0007_second_factor.sql",
        sql: include_str!("../../migrations/0007_second_factor.sql"),
    },
    Migration {
        version: 8,
        file: "palisade/0008_idempotency.sql",
        sql: include_str!("../../migrations/0008_idempotency.sql"),
    },
    Migration {
        version: 9,
        file: "palisade/0009_roles.sql",
        sql: include_str!("../../migrations/0009_roles.sql"),
    },
]);

/// Everything that accounts need: passwords, tokens, sessions, roles and the database.
#[derive(Debug, Clone)]
pub struct Accounts {
    pub(super) passwords: Passwords,
    pub(super) tokens: AccessTokens,
    pub(super) refresh: RefreshTokens,
    pub(super) sessions: Sessions,
    pub(super) factors: SecondFactors,
    pub(super) lockout: Lockout,
    pub(super) devices: Devices,
    pub(super) sweeper: Sweeper,
    pub(super) mails: Mails,
    pub(super) api_keys: ApiKeys,
    verified: Arc<Verified<Checked>>,
    pub(super) roles: Arc<[Role]>,
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
        match Current::take(incoming).await? {
            Current::Tokens(checked) => Ok(Self(checked)),
            Current::Session(_) => Err(Error::unauthorized()),
        }
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
            sessions: Sessions::new(&config.auth, db.clone()),
            factors: SecondFactors::new(config, db.clone())?,
            lockout: Lockout::new(config, db.clone()),
            devices: Devices::new(config),
            sweeper: Sweeper::new(&config.auth, db.clone()),
            api_keys: ApiKeys::new(&config.auth, Arc::clone(&roles), db.clone()),
            mails: Mails::new(config, db.clone()),
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

    /// Sends its mail by this outbox; without one it sends none.
    #[must_use]
    pub fn with_outbox(mut self, outbox: Outbox) -> Self {
        self.mails = self.mails.with_outbox(outbox);
        self
    }

    /// Writes its mail by these templates.
    #[must_use]
    pub fn with_templates(mut self, templates: Arc<dyn Templates>) -> Self {
        self.mails = self.mails.with_templates(templates);
        self
    }

    /// Ends the sign-in that this access token came from: the token itself, every other of its family, and the refresh token.
    ///
    /// # Errors
    /// 500 or 503 when the database fails; nothing has ended then.
    pub async fn sign_out(&self, token: &AccessToken) -> Result<()> {
        self.refresh.revoke(token.0.family).await.map(drop)
    }

    /// Ends this browser's sign-in; its cookie is worth nothing from now on.
    ///
    /// # Errors
    /// 500 or 503 when the database fails; it has not ended then.
    pub async fn sign_out_of(&self, session: &Session) -> Result<()> {
        self.sessions.end(session.session()).await
    }

    /// Ends every sign-in of an account, browsers' and programs', as after a changed password.
    ///
    /// # Errors
    /// 500 or 503 when the database fails; nothing has ended then.
    pub async fn sign_out_everywhere(&self, account: Id<Account>) -> Result<()> {
        self.sign_out_elsewhere(account, None).await
    }

    /// Ends every sign-in of an account but this one.
    pub(super) async fn sign_out_elsewhere(
        &self,
        account: Id<Account>,
        but: Option<Current>,
    ) -> Result<()> {
        let tx = self.db.begin().await?;
        let ended = self.end_elsewhere(&tx, account, but).await?;
        tx.commit().await?;
        self.ended(account, ended);
        Ok(())
    }

    /// The same within a transaction; [`ended`](Self::ended) follows it.
    pub(super) async fn end_elsewhere(
        &self,
        tx: &Tx,
        account: Id<Account>,
        but: Option<Current>,
    ) -> Result<u64> {
        let (family, session) = match but {
            None => (None, None),
            Some(Current::Tokens(checked)) => (Some(checked.family), None),
            Some(Current::Session(seen)) => (None, Some(seen.id)),
        };
        Ok(self.refresh.end_others(tx, account, family).await?
            + self.sessions.end_others(tx, account, session).await?)
    }

    /// So many sign-ins of this account have ended.
    pub(super) fn ended(&self, account: Id<Account>, ended: u64) {
        self.forget(account);
        if ended > 0 {
            let account = account.uuid();
            Event::TokensRevoked { account }.emit();
        }
    }

    /// Ends one sign-in of an account, a browser's or a program's; tells whether it was there.
    pub(super) async fn end_sign_in(&self, account: Id<Account>, sign_in: Uuid) -> Result<bool> {
        let tx = self.db.begin().await?;
        let sessions =
            sql!("delete from palisade_sessions where id = {sign_in} and account_id = {account}");
        let families = sql!(
            "delete from palisade_token_families where id = {sign_in} and account_id = {account}"
        );
        let ended = sessions.execute(&tx).await? + families.execute(&tx).await? > 0;
        tx.commit().await?;
        if ended {
            self.forget(account);
            let account = account.uuid();
            Event::TokensRevoked { account }.emit();
        }
        Ok(ended)
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

    /// Looks this account and its API keys up anew at their next request: to be called when its roles were changed by a statement of the app's own.
    pub fn forget(&self, account: Id<Account>) {
        self.api_keys.forget(account);
        self.verified.forget(|checked| checked.account == account);
        self.sessions.forget(account);
    }

    /// The sign-in that a request calls by.
    pub(super) async fn current(&self, parts: &Parts) -> Result<Option<Current>> {
        match shown(parts)? {
            Shown::Nothing => Ok(None),
            Shown::Token(text) => match self.checked(text)?.1 {
                Found::Good(checked, _) | Found::Ours(checked) => {
                    Ok(Some(Current::Tokens(checked)))
                }
                Found::Nothing => Err(Error::unauthorized()),
            },
            Shown::Session(text) => {
                let (seen, _) = self.by_session(text, false).await?;
                Ok(Some(Current::Session(seen)))
            }
        }
    }

    /// What is known of a token, its signature checked.
    fn checked(&self, token: &str) -> Result<(Hash, Found<Checked>)> {
        let (hash, found) = self.verified.find(token);
        let found = match found {
            Found::Nothing => Found::Ours(self.tokens.check(token).map_err(refused)?),
            found => found,
        };
        Ok((hash, found))
    }

    async fn actor(&self, parts: &Parts, anew: bool) -> Result<Option<Actor>> {
        let (account, standing) = match shown(parts)? {
            Shown::Nothing => return Ok(None),
            Shown::Token(text) => self.by_token(text, anew).await?,
            Shown::Session(text) => {
                let (seen, standing) = self.by_session(text, anew).await?;
                (seen.account, standing)
            }
        };
        let actor = Actor::new(account, standing.permissions).with_factor(standing.factor);
        Ok(Some(actor.authenticated(standing.authenticated_at)))
    }

    async fn by_token(&self, token: &str, anew: bool) -> Result<(Id<Account>, Standing)> {
        let (hash, checked) = match self.checked(token)? {
            (_, Found::Good(checked, standing)) if !anew => {
                return Ok((checked.account, standing));
            }
            (hash, Found::Ours(checked) | Found::Good(checked, _)) => (hash, checked),
            (_, Found::Nothing) => return Err(Error::unauthorized()),
        };
        let generation = self.verified.generation();
        let standing = self.standing(&checked).await?;
        let kept = standing.clone();
        self.verified.keep(hash, checked, kept, generation);
        Ok((checked.account, standing))
    }

    async fn by_session(&self, text: &str, anew: bool) -> Result<(Seen, Standing)> {
        let verified = self.sessions.verified();
        let place = match verified.find(text) {
            (_, Found::Good(seen, standing)) if !anew => return Ok((seen, standing)),
            (place, _) => place,
        };
        let token = Token::parse(text).ok_or_else(|| session_refused("malformed"))?;
        let generation = verified.generation();
        let hash = token.hash();
        let found = sql!(
            Kept,
            "select s.id, s.account_id, s.authenticated_at, s.second_factor, s.used_at, s.expires_at, r.role as role,
             exists (select 1 from palisade_credentials c where c.account_id = s.account_id
                     and c.kind <> 'recovery_code' and c.confirmed_at is not null) as enrolled
             from palisade_sessions s
             join palisade_accounts a on a.id = s.account_id
             left join palisade_account_roles r on r.account_id = s.account_id
             where s.token_hash = {hash} and a.disabled_at is null"
        );
        let found = found.at_most(64, &self.db.reader()).await?;
        let first = found.first();
        let seen = self.sessions.found(hash, first).await?;
        let first = first.ok_or_else(Error::unauthorized)?;
        let roles = found.iter().map(|kept| kept.role.as_deref());
        let (given, set_up) = (first.second_factor, first.enrolled);
        let standing = self.roles_give(roles, first.authenticated_at, given, set_up);
        verified.keep(place, seen, standing.clone(), generation);
        Ok((seen, standing))
    }

    /// What the account may do and when it signed in, unless it, its sign-in or its token is gone.
    async fn standing(&self, checked: &Checked) -> Result<Standing> {
        let found = sql!(
            Held,
            "select r.role as role, f.created_at as authenticated_at, f.second_factor as second_factor,
             exists (select 1 from palisade_credentials c where c.account_id = a.id
                     and c.kind <> 'recovery_code' and c.confirmed_at is not null) as enrolled
             from palisade_accounts a
             join palisade_token_families f on f.account_id = a.id
             left join palisade_account_roles r on r.account_id = a.id
             where a.id = {checked.account} and a.disabled_at is null and f.id = {checked.family}
             and not exists (select 1 from palisade_revoked_tokens t where t.jti = {checked.jti})"
        );
        let found = found.at_most(64, &self.db.reader()).await?;
        let Some(first) = found.first() else {
            Event::TokenRefused { reason: "revoked" }.emit();
            return Err(Error::unauthorized());
        };
        let roles = found.iter().map(|held| held.role.as_deref());
        let (given, set_up) = (first.second_factor, first.enrolled);
        Ok(self.roles_give(roles, first.authenticated_at, given, set_up))
    }

    /// What these roles allow to a sign-in of this time, with a second factor or without.
    fn roles_give<'a>(
        &self,
        held: impl Iterator<Item = Option<&'a str>> + Clone,
        authenticated_at: Timestamp,
        given: bool,
        set_up: bool,
    ) -> Standing {
        let is_held = |role: &&Role| held.clone().any(|name| name == Some(role.name()));
        let of = |open: bool| {
            let roles = self.roles.iter().filter(is_held);
            roles
                .filter(|role| open != (role.wants_second_factor() && !(given && set_up)))
                .flat_map(Role::permissions)
                .collect()
        };
        Standing {
            permissions: of(true),
            authenticated_at,
            factor: Factor {
                given,
                set_up,
                withheld: of(false),
            },
        }
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
    second_factor: bool,
    enrolled: bool,
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

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use time::OffsetDateTime;

    use super::*;
    use crate::db::DbOptions;
    use crate::secret::Secret;
    use crate::secret::key::Key;

    #[tokio::test]
    async fn takes_accounts_that_were_there_before_for_verified() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("app.sqlite").display());
        let options = DbOptions {
            url: Secret::new(url),
            cursor_key: Key::generate(),
        };
        let db = Db::open(options).await.unwrap();
        let before = Migrations::of_framework(MIGRATIONS.files().split_at(3).0);
        before.run(&db).await.unwrap();
        let made = OffsetDateTime::UNIX_EPOCH;
        sql!("insert into palisade_accounts (id, email, password_hash, created_at) values ({Id::<Account>::new()}, 'ann@example.org', 'x', {made})")
            .execute(&db)
            .await
            .unwrap();
        MIGRATIONS.run(&db).await.unwrap();
        let verified: Option<OffsetDateTime> =
            sql!("select email_verified_at from palisade_accounts")
                .one(&db)
                .await
                .unwrap();
        assert_eq!(verified, Some(made));
    }
}
