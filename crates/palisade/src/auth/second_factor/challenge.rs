//! What is asked of somebody whose password was right, and how it is answered.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderValue, StatusCode, header};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{Code, RecoveryCode, now};
use crate::access::{Account, Id};
use crate::auth::Accounts;
use crate::auth::client::Client;
use crate::auth::credential::Kind;
use crate::auth::device::Device;
use crate::auth::mails::Notice;
use crate::auth::presented::Presented;
use crate::auth::routes::Entered;
use crate::auth::sign_in::{Admitted, Entry};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::secret::key::Key;
use crate::secret::seal::Seal;
use palisade_macros::{row, sql};

/// Where it is answered.
const ANSWER_TO: &str = "/auth/sign-in/second-factor";
/// Seconds that it may be answered in.
const LIFETIME: i64 = 300;
const PREFIX: &str = "pch_";
const CONTEXT: &[u8] = b"second factor challenge";

/// What a challenge holds: that this password of this account was right, and what it was given for.
///
/// # Security
/// It goes to the client sealed, and is worth nothing without a code, so it may be answered twice: each answer wants a code of its own, and each
/// counts. It ends after five minutes, and with the password that it was given for.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::auth) struct Sealed {
    pub(in crate::auth) account: Id<Account>,
    /// Which password was right.
    pub(in crate::auth) version: u32,
    pub(in crate::auth) entry: Entry,
    pub(in crate::auth) device: Option<Device>,
    /// Passwords that were wrong before.
    pub(in crate::auth) failures: u32,
}

/// What somebody answers a challenge with.
pub(in crate::auth) enum Answer {
    Code(Code),
    Recovery(RecoveryCode),
}

#[row]
struct Owner {
    email: String,
    password_version: u32,
}

/// Makes challenges, and reads them again.
#[derive(Debug)]
pub(super) struct Challenges(Seal);

impl Challenges {
    /// Sealed with the first of these keys.
    pub(super) fn new(keys: impl IntoIterator<Item = Key>) -> Result<Self> {
        Ok(Self(Seal::new(keys)?))
    }

    /// Asks for the second factor.
    pub(super) fn ask(&self, sealed: &Sealed) -> Error {
        let text = match self.sealed(sealed, now() + LIFETIME) {
            Ok(text) => text,
            Err(error) => return error,
        };
        Event::FactorRequired {
            account: sealed.account.uuid(),
        }
        .emit();
        Error::new(
            StatusCode::UNAUTHORIZED,
            "second-factor-required",
            "A second factor is asked for",
        )
        .with_detail("send the challenge with a code to the path in `answer_to`")
        .with_header(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static(
                "Bearer error=\"insufficient_user_authentication\", error_description=\"a second factor is required\"",
            ),
        )
        .with_member("challenge", text)
        .with_member("kinds", vec![Kind::Totp.name(), Kind::RecoveryCode.name()])
        .with_member("expires_in", LIFETIME)
        .with_member("answer_to", ANSWER_TO)
    }

    fn sealed(&self, sealed: &Sealed, expires: i64) -> Result<String> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(128));
        bytes.extend_from_slice(&expires.to_be_bytes());
        bytes.extend_from_slice(sealed.account.uuid().as_bytes());
        bytes.extend_from_slice(&sealed.version.to_be_bytes());
        bytes.extend_from_slice(&sealed.failures.to_be_bytes());
        match sealed.device {
            None => bytes.push(0),
            Some(Device(number)) => {
                bytes.push(1);
                bytes.extend_from_slice(&number);
            }
        }
        sealed.entry.write(&mut bytes);
        let closed = self.0.close(&bytes, CONTEXT)?;
        Ok(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(closed)))
    }

    pub(super) fn read(&self, presented: &Presented, now: i64) -> Option<Sealed> {
        let text = presented.expose().strip_prefix(PREFIX)?;
        let closed = URL_SAFE_NO_PAD.decode(text).ok()?;
        let opened = self.0.open(&closed, CONTEXT).ok()?;
        let mut left = opened.bytes.expose().as_slice();
        let expires = i64::from_be_bytes(*take(&mut left)?);
        let account = Id::from_uuid(Uuid::from_bytes(*take(&mut left)?));
        let version = u32::from_be_bytes(*take(&mut left)?);
        let failures = u32::from_be_bytes(*take(&mut left)?);
        let device = match take::<1>(&mut left)? {
            [0] => None,
            _ => Some(Device(*take(&mut left)?)),
        };
        let entry = Entry::read(left)?;
        (now < expires).then_some(Sealed {
            account,
            version,
            entry,
            device,
            failures,
        })
    }
}

impl Accounts {
    /// Lets in who answers a challenge, for what the password was given.
    ///
    /// # Errors
    /// 401 `unauthorized` when the challenge is over, forged, or for a password that was changed; 401 `second-factor-refused` when the code is
    /// wrong or was used before; 429 when wrong codes before it make it wait.
    pub(in crate::auth) async fn answer(
        &self,
        challenge: &Presented,
        answer: Answer,
        client: Client,
    ) -> Result<Entered> {
        let sealed = self.factors.challenged(challenge).ok_or_else(over)?;
        let account = sealed.account;
        let owner = sql!(
            Owner,
            "select email, password_version from palisade_accounts where id = {account}"
        );
        let owner = owner.optional(&self.db).await?.ok_or_else(over)?;
        if owner.password_version != sealed.version {
            return Err(over());
        }
        let attempt = match &answer {
            Answer::Code(_) => {
                let lockout = &self.lockout;
                lockout.begin_code(account, client, sealed.device).await?
            }
            Answer::Recovery(_) => self.lockout.begin_recovery(client, sealed.device).await?,
        };
        let right = match &answer {
            Answer::Code(code) => self.factors.take(account, code).await,
            Answer::Recovery(code) => self.factors.spend(account, code).await,
        };
        match right {
            Ok(true) => {}
            Ok(false) => {
                self.lockout.failed(&attempt, Some(account.uuid()));
                return Err(refused());
            }
            Err(error) => {
                self.lockout.undo(attempt).await?;
                return Err(error);
            }
        }
        if let Answer::Recovery(_) = answer {
            let event = Event::RecoveryCodeUsed {
                account: account.uuid(),
            };
            self.tell(account, event, Notice::RecoveryCodeUsed).await;
        }
        let failures = u64::from(sealed.failures) + attempt.failures;
        self.lockout.succeeded(attempt).await?;
        self.lockout.forget(&owner.email, sealed.device).await?;
        let admitted = Admitted {
            account,
            email: owner.email,
            device: sealed.device,
            failures,
            second_factor: true,
            version: sealed.version,
        };
        self.admit(admitted, sealed.entry, client).await
    }
}

impl Entry {
    fn write(self, bytes: &mut Vec<u8>) {
        match self {
            Self::Tokens => bytes.push(0),
            Self::TokensAnew(family) => {
                bytes.push(1);
                bytes.extend_from_slice(family.uuid().as_bytes());
            }
            Self::Session { before: None } => bytes.push(2),
            Self::Session {
                before: Some(before),
            } => {
                bytes.push(3);
                bytes.extend_from_slice(&before);
            }
            Self::SessionAnew { session, hash } => {
                bytes.push(4);
                bytes.extend_from_slice(session.uuid().as_bytes());
                bytes.extend_from_slice(&hash);
            }
        }
    }

    fn read(mut left: &[u8]) -> Option<Self> {
        let id = |left: &mut &[u8]| take(left).map(|id| Uuid::from_bytes(*id));
        let entry = match take::<1>(&mut left)? {
            [0] => Self::Tokens,
            [1] => Self::TokensAnew(Id::from_uuid(id(&mut left)?)),
            [2] => Self::Session { before: None },
            [3] => Self::Session {
                before: Some(*take(&mut left)?),
            },
            [4] => Self::SessionAnew {
                session: Id::from_uuid(id(&mut left)?),
                hash: *take(&mut left)?,
            },
            _ => return None,
        };
        left.is_empty().then_some(entry)
    }
}

/// The next so many bytes.
fn take<'a, const N: usize>(left: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (taken, rest) = left.split_first_chunk()?;
    *left = rest;
    Some(taken)
}

/// The challenge is worth nothing (any more): the client begins with the password again.
fn over() -> Error {
    Event::TokenRefused {
        reason: "challenge",
    }
    .emit();
    Error::unauthorized().with_detail("the challenge is over: send the password again")
}

fn refused() -> Error {
    Error::new(
        StatusCode::UNAUTHORIZED,
        "second-factor-refused",
        "The code is not right",
    )
    .with_detail(
        "the code is wrong, or was used before: answer the challenge once more, with the next one",
    )
    .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn challenges() -> Challenges {
        Challenges::new([Key::generate()]).expect("a key")
    }

    fn sealed(entry: Entry) -> Sealed {
        Sealed {
            account: Id::new(),
            version: 7,
            entry,
            device: None,
            failures: 3,
        }
    }

    #[test]
    fn holds_what_the_password_was_given_for() {
        let challenges = challenges();
        for entry in [
            Entry::Tokens,
            Entry::TokensAnew(Id::new()),
            Entry::Session { before: None },
            Entry::Session {
                before: Some([1; 32]),
            },
            Entry::SessionAnew {
                session: Id::new(),
                hash: [2; 32],
            },
        ] {
            for device in [None, Some(Device([9; 16]))] {
                let sealed = Sealed {
                    device,
                    ..sealed(entry)
                };
                let text = challenges.sealed(&sealed, 1_000).unwrap();
                let read = challenges.read(&Presented::of(&text), 999);
                assert_eq!(read.as_ref(), Some(&sealed));
            }
        }
    }

    #[test]
    fn is_over_after_its_time_and_opens_with_no_other_key() {
        let challenges = challenges();
        let text = challenges.sealed(&sealed(Entry::Tokens), 1_000).unwrap();
        let presented = Presented::of(&text);
        assert!(challenges.read(&presented, 999).is_some());
        assert!(challenges.read(&presented, 1_000).is_none());
        assert!(self::challenges().read(&presented, 999).is_none());
    }

    #[tokio::test]
    async fn is_given_for_five_minutes() {
        let challenges = challenges();
        let error = challenges.ask(&sealed(Entry::Tokens));
        let answer = error.into_response("1");
        let body = axum::body::to_bytes(answer.into_body(), 4096)
            .await
            .unwrap();
        let document: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let presented = Presented::of(document["challenge"].as_str().unwrap());
        let made = now();
        assert!(challenges.read(&presented, made + 295).is_some());
        assert!(challenges.read(&presented, made + 301).is_none());
    }
}
