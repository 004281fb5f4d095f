//! Access tokens: short JWTs whose algorithm, issuer and audience are pinned.
//!
//! Follows RFC 8725 (JWT best current practices) and RFC 9068 (`at+jwt`).

use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode,
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::access::{Account, Id};
use crate::secret::key::Key;

const TYPE: &str = "at+jwt";
/// Seconds that clocks may differ.
const LEEWAY: u64 = 5;
/// Characters of a token at most.
const MAX_LENGTH: usize = 2048;

/// Makes and checks access tokens, HS256 with a key derived from the app's.
///
/// # Security
/// The algorithm is ours, never the token's. `iss`, `aud`, `sub`, `exp`, `nbf`, `iat` and `jti` must be there; `typ` must be
/// `at+jwt`; a lifetime longer than what we hand out is refused. `kid` chooses between the current key and the one before.
#[derive(Clone)]
pub struct AccessTokens(Arc<Inner>);

struct Inner {
    keys: Vec<(String, EncodingKey, DecodingKey)>,
    issuer: String,
    lifetime: Duration,
    validation: Validation,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: Uuid,
    exp: i64,
    nbf: i64,
    iat: i64,
    jti: Uuid,
}

/// What a checked token says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Checked {
    pub(super) account: Id<Account>,
    pub(super) jti: Uuid,
    pub(super) expires: OffsetDateTime,
}

/// Why a token was not taken. For the log; the caller sees a bare 401.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// It is not an access token of ours in form.
    #[error("malformed")]
    Malformed,
    /// Its signature, issuer, audience or times do not hold.
    #[error("invalid")]
    Invalid,
    /// Its time is over.
    #[error("expired")]
    Expired,
}

impl std::fmt::Debug for AccessTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessTokens")
            .field("issuer", &self.0.issuer)
            .finish_non_exhaustive()
    }
}

impl AccessTokens {
    /// Tokens of this issuer, signed with a key derived from `key`; those of `previous` are still accepted.
    pub fn new(key: &Key, previous: Option<&Key>, issuer: &str, lifetime: Duration) -> Self {
        let keys = std::iter::once(key).chain(previous).map(|key| {
            let derived = key.derive("access tokens");
            let kid = derived.sign(b"kid")[..8]
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            (
                kid,
                EncodingKey::from_secret(derived.expose()),
                DecodingKey::from_secret(derived.expose()),
            )
        });
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[issuer]);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        validation.validate_nbf = true;
        validation.leeway = LEEWAY;
        Self(Arc::new(Inner {
            keys: keys.collect(),
            issuer: issuer.to_owned(),
            lifetime,
            validation,
        }))
    }

    /// How long a token is good for.
    pub fn lifetime(&self) -> Duration {
        self.0.lifetime
    }

    /// A fresh token for this account.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub fn make(&self, account: Id<Account>) -> Result<String, TokenError> {
        let now = OffsetDateTime::now_utc().unix_timestamp();
        let claims = Claims {
            iss: self.0.issuer.clone(),
            aud: self.0.issuer.clone(),
            sub: account.uuid(),
            exp: now + self.0.lifetime.as_secs() as i64,
            nbf: now,
            iat: now,
            jti: Uuid::now_v7(),
        };
        let (kid, key, _) = self.0.keys.first().ok_or(TokenError::Invalid)?;
        let header = Header {
            typ: Some(TYPE.to_owned()),
            kid: Some(kid.clone()),
            ..Header::new(Algorithm::HS256)
        };
        encode(&header, &claims, key).map_err(|_| TokenError::Invalid)
    }

    pub(super) fn check(&self, token: &str) -> Result<Checked, TokenError> {
        if token.len() > MAX_LENGTH {
            return Err(TokenError::Malformed);
        }
        let header = decode_header(token).map_err(|_| TokenError::Malformed)?;
        if header.typ.as_deref() != Some(TYPE) {
            return Err(TokenError::Malformed);
        }
        let key = self
            .0
            .keys
            .iter()
            .find(|(kid, ..)| header.kid.as_ref() == Some(kid))
            .ok_or(TokenError::Invalid)?;
        let claims = decode::<Claims>(token, &key.2, &self.0.validation).map_err(|error| {
            match error.kind() {
                jsonwebtoken::errors::ErrorKind::ExpiredSignature => TokenError::Expired,
                _ => TokenError::Invalid,
            }
        })?;
        let claims = claims.claims;
        let longest = self.0.lifetime.as_secs() as i64;
        let now = OffsetDateTime::now_utc().unix_timestamp();
        let lived = claims
            .exp
            .checked_sub(claims.iat)
            .is_some_and(|lived| (0..=longest).contains(&lived));
        if !lived || claims.iat > now + LEEWAY as i64 {
            return Err(TokenError::Invalid);
        }
        let expires =
            OffsetDateTime::from_unix_timestamp(claims.exp).map_err(|_| TokenError::Invalid)?;
        Ok(Checked {
            account: Id::from_uuid(claims.sub),
            jti: claims.jti,
            expires,
        })
    }
}
