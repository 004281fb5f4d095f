//! Credentials for tokens.

use time::OffsetDateTime;

use super::address;
use super::tokens::{TokenView, handed_out};
use crate::access::{Account, Id, Public};
use crate::auth::Accounts;
use crate::auth::client::Client;
use crate::auth::device::DeviceToken;
use crate::auth::lockout::Attempt;
use crate::auth::mails::Notice;
use crate::auth::password::{PasswordHash, Place, Verdict};
use crate::auth::presented::Presented;
use crate::auth::refresh::RefreshToken;
use crate::db::Db;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::input::{Email, Json, Password};
use palisade_macros::{input, output, post, row, sql};

/// What a person signs in with.
#[input]
pub(crate) struct SignIn {
    email: Email,
    password: Password,
    device_token: Option<Presented>,
}

/// What sign-in answers: RFC 6749, section 5.1, and a token by which this device is known again.
#[output]
pub(crate) struct SignedInView {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
    refresh_token: RefreshToken,
    refresh_expires_in: u64,
    device_token: DeviceToken,
}

#[row]
struct Login {
    id: Id<Account>,
    password_hash: PasswordHash,
    password_version: u32,
    email_verified_at: Option<OffsetDateTime>,
}

#[post("/auth/sign-in", limit = "sign-in")]
pub(super) async fn sign_in(
    _: Public,
    accounts: Accounts,
    client: Client,
    db: Db,
    Json(given): Json<SignIn>,
) -> Result<Json<SignedInView>> {
    accounts.sweeper.pass();
    // First this: a flood is turned away before it costs the database anything.
    let place = accounts.passwords.enter()?;
    let email = address(&given.email);
    let presented = given.device_token.as_ref();
    let device = presented.and_then(|token| accounts.devices.known(token, &email));
    let attempt = accounts.lockout.begin(&email, client, device).await?;
    let found = match owner(&accounts, &db, &email, place, given.password).await {
        Ok(found) => found,
        Err(error) => {
            accounts.lockout.undo(attempt).await?;
            return Err(error);
        }
    };
    let (id, version) = match found {
        (Some(id), Some(version)) => (id, version),
        (account, _) => return Err(refused(&accounts, &attempt, account)),
    };
    let (account, failures) = (id.uuid(), attempt.failures);
    accounts.lockout.succeeded(attempt).await?;
    let rotated = accounts.refresh.begin(id, client).await?;
    if !is_still(&db, id, version).await? {
        // Somebody changed the password in the meantime, and did not see this sign-in when it ended the others.
        accounts.refresh.revoke(rotated.family).await?;
        return Err(Error::unauthorized());
    }
    if device.is_none() {
        let client = client.0;
        accounts
            .mails
            .notify(given.email, Notice::NewDevice { client });
    }
    match failures {
        0 => Event::SignedIn { account }.emit(),
        failures => Event::SignedInAfterFailures { account, failures }.emit(),
    }
    let TokenView {
        access_token,
        token_type,
        expires_in,
        refresh_token,
        refresh_expires_in,
    } = handed_out(&accounts, rotated)?;
    Ok(Json(SignedInView {
        access_token,
        token_type,
        expires_in,
        refresh_token,
        refresh_expires_in,
        device_token: accounts.devices.remember(device, &email),
    }))
}

/// The account with this address, if there is one, and the version of its password, when it was given and may sign in: the same work
/// in each case.
async fn owner(
    accounts: &Accounts,
    db: &Db,
    email: &str,
    place: Place,
    password: Password,
) -> Result<(Option<Id<Account>>, Option<u32>)> {
    let found = sql!(
        Login,
        "select id, password_hash, password_version, email_verified_at from palisade_accounts where email = {email}"
    )
    .optional(db)
    .await?;
    let required = accounts.mails.are_required();
    let may = |login: &Login| login.email_verified_at.is_some() || !required;
    let version = found
        .as_ref()
        .filter(|login| may(login))
        .map(|login| login.password_version);
    let (id, hash) = found.map(|login| (login.id, login.password_hash)).unzip();
    let verdict = accounts
        .passwords
        .verify_in(place, password, hash.clone())
        .await?;
    if let (Some(id), Verdict::Outdated(new)) = (id, &verdict) {
        // Not when the password was changed in the meantime.
        sql!("update palisade_accounts set password_hash = {new} where id = {id} and password_hash = {hash}")
            .execute(db)
            .await?;
    }
    Ok((id, version.filter(|_| !matches!(verdict, Verdict::Wrong))))
}

/// Whether the password is the one that was verified.
async fn is_still(db: &Db, id: Id<Account>, version: u32) -> Result<bool> {
    let same: i64 = sql!(
        "select count(*) from palisade_accounts where id = {id} and password_version = {version}"
    )
    .one(db)
    .await?;
    Ok(same > 0)
}

fn refused(accounts: &Accounts, attempt: &Attempt, account: Option<Id<Account>>) -> Error {
    let account = account.map(|id| id.uuid());
    Event::SignInFailed { account }.emit();
    accounts.lockout.failed(attempt, account);
    let error = Error::unauthorized();
    // The same for a wrong password: who signed somebody up would else learn whether the address was free.
    if accounts.mails.are_required() {
        return error.with_detail(
            "the e-mail address or the password is wrong, or the address is not verified yet",
        );
    }
    error.with_detail("the e-mail address or the password is wrong")
}
