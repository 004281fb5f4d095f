//! The second factor: set up, given at sign-in, and taken away.

use axum::body::Body;
use http::Response;
use zeroize::Zeroizing;

use super::session::SessionView;
use super::{Entered, SignedInView};
use crate::access::{Account, Fresh, Id, Public, SignedIn};
use crate::auth::Accounts;
use crate::auth::client::Client;
use crate::auth::mails::Notice;
use crate::auth::presented::Presented;
use crate::auth::second_factor::{Answer, Code, RecoveryCode, SharedSecret};
use crate::auth::session::Current;
use crate::auth::sign_in::{Admitted, Entry};
use crate::db::ReadDb;
use crate::error::{Error, Result, Violation};
use crate::event::Event;
use crate::input::{Json, Password, Timestamp};
use crate::output::{Created, NoContent, OutputField, Reply};
use palisade_macros::{delete, get, input, output, post, row, sql};

/// What an authenticator app is told: the secret for who types it, the URI for who shows it as a picture (`otpauth://totp/…`).
#[output]
pub(crate) struct EnrolmentView {
    secret: SharedSecret,
    uri: Uri,
}

/// Holds the secret.
pub(crate) struct Uri(Zeroizing<String>);

impl OutputField for Uri {
    fn show<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// A code that the app shows, and the password once more: what confirms makes fresh, and gives what a sign-in gives.
#[input]
pub(crate) struct Confirmation {
    password: Password,
    code: Code,
}

/// Recovery codes, shown once.
#[output]
pub(crate) struct RecoveryCodesView {
    recovery_codes: Vec<RecoveryCode>,
}

/// What confirming gives: recovery codes, and what a sign-in gives, in the place of the sign-in until now.
pub(crate) struct Confirmed {
    codes: Vec<RecoveryCode>,
    entered: Entered,
}

#[output]
struct TokensConfirmed {
    recovery_codes: Vec<RecoveryCode>,
    sign_in: SignedInView,
}

#[output]
struct SessionConfirmed {
    recovery_codes: Vec<RecoveryCode>,
    sign_in: SessionView,
}

/// A challenge, and one of the two that answer it.
#[input]
pub(crate) struct ChallengeAnswer {
    challenge: Presented,
    code: Option<Code>,
    recovery_code: Option<RecoveryCode>,
}

/// How an account stands to a second factor.
#[output]
pub(crate) struct SecondFactorView {
    totp: Option<TotpView>,
    recovery_codes: u32,
}

#[output]
pub(crate) struct TotpView {
    confirmed_at: Timestamp,
    last_used_at: Option<Timestamp>,
}

#[row]
struct Owner {
    email: String,
    password_version: u32,
}

#[row]
struct Set {
    kind: String,
    confirmed_at: Timestamp,
    last_used_at: Option<Timestamp>,
}

impl Reply for Confirmed {
    fn reply(self) -> Result<Response<Body>> {
        let recovery_codes = self.codes;
        match self.entered {
            Entered::Tokens(sign_in) => Json(TokensConfirmed {
                recovery_codes,
                sign_in,
            })
            .reply(),
            Entered::Session(entered) => {
                let sign_in = entered.view();
                let view = SessionConfirmed {
                    recovery_codes,
                    sign_in,
                };
                entered.with_cookies(Json(view).reply()?)
            }
        }
    }
}

#[post("/auth/totp", limit = "sign-in")]
pub(super) async fn enroll(user: Fresh, accounts: Accounts) -> Result<Created<EnrolmentView>> {
    let owner = owner(&accounts, user.id).await?;
    let enrolment = accounts.factors.enroll(user.id, &owner.email).await?;
    Ok(Created(EnrolmentView {
        secret: enrolment.secret,
        uri: Uri(enrolment.uri),
    }))
}

#[post("/auth/totp/confirm", limit = "sign-in")]
pub(super) async fn confirm(
    user: Fresh<15>,
    accounts: Accounts,
    current: Current,
    client: Client,
    Json(given): Json<Confirmation>,
) -> Result<Confirmed> {
    let account = user.id;
    // First this: a session that somebody found must not set up a factor of its own.
    accounts
        .proved(account, client, given.password, None)
        .await?;
    let owner = owner(&accounts, account).await?;
    let enrolled = accounts.factors.enrolled(account).await?;
    let attempt = accounts.lockout.begin_code(account, client, None).await?;
    let Some(step) = accounts
        .factors
        .is_code_of(account, &enrolled, &given.code)?
    else {
        accounts.lockout.failed(&attempt, Some(account.uuid()));
        return Err(answer_is(
            "wrong_code",
            "is not what the app shows now; is the clock of its device right?",
        ));
    };
    accounts.lockout.succeeded(attempt).await?;
    let tx = accounts.db.begin().await?;
    let confirming = accounts.factors.confirm(&tx, account, &enrolled, step);
    let codes = confirming.await?;
    // A sign-in from before asked for less.
    let ended = accounts.end_elsewhere(&tx, account, Some(current)).await?;
    tx.commit().await?;
    accounts.ended(account, ended);
    // So did one that began while this was being written.
    accounts.sign_out_elsewhere(account, Some(current)).await?;
    let event = Event::FactorEnrolled {
        account: account.uuid(),
    };
    accounts
        .tell(account, event, Notice::SecondFactorChanged)
        .await;
    let admitted = Admitted {
        account,
        email: owner.email,
        device: None,
        failures: 0,
        second_factor: true,
        version: owner.password_version,
    };
    let entered = accounts
        .admit(admitted, Entry::anew(current), client)
        .await?;
    Ok(Confirmed { codes, entered })
}

#[delete("/auth/totp", limit = "auth")]
pub(super) async fn remove(user: Fresh, accounts: Accounts, current: Current) -> Result<NoContent> {
    let account = user.id;
    if !accounts.factors.is_set_up(account).await? {
        return Err(Error::not_found());
    }
    let tx = accounts.db.begin().await?;
    accounts.factors.remove(&tx, account).await?;
    let ended = accounts.end_elsewhere(&tx, account, Some(current)).await?;
    tx.commit().await?;
    accounts.ended(account, ended);
    let event = Event::FactorRemoved {
        account: account.uuid(),
    };
    accounts
        .tell(account, event, Notice::SecondFactorChanged)
        .await;
    Ok(NoContent)
}

#[post("/auth/recovery-codes", limit = "sign-in")]
pub(super) async fn new_recovery_codes(
    user: Fresh,
    accounts: Accounts,
) -> Result<Created<RecoveryCodesView>> {
    let recovery_codes = accounts.factors.new_recovery_codes(user.id).await?;
    let event = Event::RecoveryCodesCreated {
        account: user.id.uuid(),
    };
    accounts
        .tell(user.id, event, Notice::SecondFactorChanged)
        .await;
    Ok(Created(RecoveryCodesView { recovery_codes }))
}

#[get("/auth/second-factor", limit = "auth")]
pub(super) async fn show(user: SignedIn, db: ReadDb) -> Result<Json<SecondFactorView>> {
    let sets = sql!(
        Set,
        "select kind, confirmed_at, last_used_at from palisade_credentials
         where account_id = {user.id} and confirmed_at is not null order by created_at, id"
    );
    let sets = sets.at_most(100, &db).await?;
    let recovery_codes = sets.iter().filter(|set| set.kind == "recovery_code");
    let recovery_codes = recovery_codes.count() as u32;
    let totp = sets.into_iter().find(|set| set.kind == "totp");
    Ok(Json(SecondFactorView {
        totp: totp.map(|set| TotpView {
            confirmed_at: set.confirmed_at,
            last_used_at: set.last_used_at,
        }),
        recovery_codes,
    }))
}

#[post("/auth/sign-in/second-factor", limit = "sign-in")]
pub(super) async fn answer(
    _: Public,
    accounts: Accounts,
    client: Client,
    Json(given): Json<ChallengeAnswer>,
) -> Result<Entered> {
    let answer = match (given.code, given.recovery_code) {
        (Some(code), None) => Answer::Code(code),
        (None, Some(code)) => Answer::Recovery(code),
        (None, None) => return Err(answer_is("required", "is required, or a `recovery_code`")),
        (Some(_), Some(_)) => {
            return Err(answer_is(
                "one_of_two",
                "is not sent with a `recovery_code`",
            ));
        }
    };
    accounts.answer(&given.challenge, answer, client).await
}

fn answer_is(code: &'static str, detail: &'static str) -> Error {
    Error::invalid(vec![Violation {
        pointer: "/code".to_owned(),
        code: code.into(),
        detail: detail.into(),
    }])
}

async fn owner(accounts: &Accounts, account: Id<Account>) -> Result<Owner> {
    let owner = sql!(
        Owner,
        "select email, password_version from palisade_accounts where id = {account}"
    );
    let owner = owner.optional(&accounts.db).await?;
    // Deleted a moment ago: its credential is worth nothing any more.
    owner.ok_or_else(Error::unauthorized)
}
