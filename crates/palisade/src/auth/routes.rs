//! Accounts: sign-up, sign-in, sign-out, and who am I.

use std::sync::Arc;

use http::header;
use http::request::Parts;
use time::OffsetDateTime;

use super::jwt::{AccessTokens, Checked, TokenError};
use super::password::Passwords;
use crate::access::Authenticated;
use crate::access::{Account, Actor, Authenticator, Id, Public, Role, SignedIn};
use crate::config::Config;
use crate::db::{Db, Migration, Migrations, ReadDb};
use crate::endpoint::Routes;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::input::{Argument, Email, Incoming, Json, Password, Service};
use crate::output::{Created, NoContent};
use palisade_macros::{get, input, output, post, row, sql};

/// The tables that this room keeps.
pub(crate) const MIGRATIONS: Migrations = Migrations::of_framework(&[Migration {
    version: 1,
    file: "palisade/0001_accounts.sql",
    sql: include_str!("../../migrations/0001_accounts.sql"),
}]);

/// Everything that accounts need: passwords, tokens, roles and the database.
#[derive(Debug, Clone)]
pub struct Accounts {
    passwords: Passwords,
    tokens: AccessTokens,
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
            passwords: Passwords::new()?,
            tokens,
            roles: roles.into(),
            db,
        })
    }

    async fn actor(&self, parts: &Parts) -> Result<Option<Actor>> {
        let Some(token) = bearer(parts)? else {
            return Ok(None);
        };
        let checked = self.tokens.check(token).map_err(refused)?;
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

#[row]
struct Login {
    id: Id<Account>,
    password_hash: String,
}

/// What a person signs up or in with.
#[input]
pub(crate) struct Credentials {
    email: Email,
    password: Password,
}

/// What sign-up answers, for a fresh address and a taken one alike.
#[output]
pub(crate) struct SignedUp {
    email: String,
}

/// What sign-in answers: RFC 6749, section 5.1.
#[output]
pub(crate) struct TokenView {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
}

/// Who the caller is.
#[output]
pub(crate) struct Me {
    id: Id<Account>,
    email: String,
}

/// The token of this request, checked once more, for signing out.
pub(crate) struct ThisToken(Checked);

impl Argument for ThisToken {
    async fn take(incoming: &mut Incoming) -> Result<Self> {
        let accounts: Accounts = incoming.service()?;
        let token = bearer(incoming.parts())?.ok_or_else(Error::unauthorized)?;
        accounts.tokens.check(token).map(Self).map_err(refused)
    }
}

#[post("/auth/sign-up", limit = "sign-up")]
async fn sign_up(
    _: Public,
    accounts: Service<Accounts>,
    db: Db,
    Json(new): Json<Credentials>,
) -> Result<Created<SignedUp>> {
    let email = new.email.to_ascii_lowercase();
    let hash = accounts.passwords.hash(new.password).await?;
    let id = Id::<Account>::new();
    let made = sql!(
        "insert into palisade_accounts (id, email, password_hash, created_at)
         values ({id}, {email}, {hash}, {OffsetDateTime::now_utc()})
         on conflict (email) do nothing"
    );
    if made.execute(&db).await? > 0 {
        Event::AccountCreated { account: id.uuid() }.emit();
    }
    Ok(Created(SignedUp { email }))
}

#[post("/auth/sign-in", limit = "sign-in")]
async fn sign_in(
    _: Public,
    accounts: Service<Accounts>,
    db: Db,
    Json(given): Json<Credentials>,
) -> Result<Json<TokenView>> {
    let email = given.email.to_ascii_lowercase();
    let found = sql!(
        Login,
        "select id, password_hash from palisade_accounts where email = {email}"
    )
    .optional(&db)
    .await?;
    let (id, hash) = found.map(|login| (login.id, login.password_hash)).unzip();
    let verified = accounts.passwords.verify(given.password, hash).await?;
    let Some(id) = id.filter(|_| verified) else {
        Event::SignInFailed {
            account: id.map(|id| id.uuid()),
        }
        .emit();
        return Err(
            Error::unauthorized().with_detail("the e-mail address or the password is wrong")
        );
    };
    Event::SignedIn { account: id.uuid() }.emit();
    let access_token = accounts.tokens.make(id)?;
    Event::TokenCreated { account: id.uuid() }.emit();
    let expires_in = accounts.tokens.lifetime().as_secs();
    Ok(Json(TokenView {
        access_token,
        token_type: "Bearer",
        expires_in,
    }))
}

#[post("/auth/sign-out")]
async fn sign_out(user: SignedIn, token: ThisToken, db: Db) -> Result<NoContent> {
    // A token whose time is over is refused by its own `exp`, so its entry can go.
    sql!("delete from palisade_revoked_tokens where expires_at < {OffsetDateTime::now_utc() - time::Duration::minutes(5)}")
        .execute(&db)
        .await?;
    sql!(
        "insert into palisade_revoked_tokens (jti, expires_at) values ({token.0.jti}, {token.0.expires})
         on conflict (jti) do nothing"
    )
    .execute(&db)
    .await?;
    Event::SignedOut {
        account: user.id.uuid(),
    }
    .emit();
    Ok(NoContent)
}

#[get("/auth/me")]
async fn me(user: SignedIn, db: ReadDb) -> Result<Json<Me>> {
    let email = sql!("select email from palisade_accounts where id = {user.id}")
        .one(&db)
        .await?;
    Ok(Json(Me { id: user.id, email }))
}

/// The ready routes: `POST /auth/sign-up`, `/auth/sign-in`, `/auth/sign-out`, `GET /auth/me`.
///
/// # Security
/// Sign-up answers 201 for a taken address too, and sign-in does the same work for an unknown one, so that neither tells who
/// has an account. Sign-out revokes the presented token at once.
pub fn routes() -> Routes {
    palisade_macros::routes![sign_up, sign_in, sign_out, me]
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
