//! Access tokens: short JWTs whose algorithm, issuer and audience are pinned.
//!
//! Follows RFC 8725 (JWT best current practices), RFC 9068 (`at+jwt`) and OWASP ASVS 5.0, chapter 9.

mod check;
mod keys;
mod verified;

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Validation, decode};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use super::refresh::Family;
use crate::access::{Account, Id};
use crate::config::TokenAlgorithm;
use crate::secret::key::Key;

pub use check::{JwtCheck, JwtKey};
#[doc(hidden)]
pub use check::{Open, Pinned};
pub(crate) use keys::PublicKey;

pub(super) use verified::{Found, Hash, Standing, Verified};

use keys::SigningKey;

/// Seconds that clocks may differ.
const LEEWAY: u64 = 5;
/// Characters of a token at most.
const MAX_LENGTH: usize = 2048;

/// Makes and checks access tokens, with keys that are derived from the app's.
///
/// # Security
/// The algorithm is ours, never the token's: a header that is not, byte for byte, one that we write ourselves is refused before
/// anything in it is read, so `alg`, `kid`, `jwk`, `jku`, `x5u` and `crit` of others say nothing to us. `iss`, `aud`, `sub`, `sid`,
/// `exp`, `nbf`, `iat` and `jti` must be there, and a lifetime longer than what we hand out is refused. The header names the key: the
/// current one, or the one before, which is still accepted and signs nothing.
#[derive(Clone)]
pub(super) struct AccessTokens(Arc<Inner>);

struct Inner {
    keys: Vec<SigningKey>,
    issuer: String,
    lifetime: Duration,
    validation: Validation,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: Uuid,
    sid: Uuid,
    exp: i64,
    nbf: i64,
    iat: i64,
    jti: Uuid,
}

/// What a checked token says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Checked {
    pub(super) account: Id<Account>,
    pub(super) family: Id<Family>,
    pub(super) jti: Uuid,
    pub(super) expires: OffsetDateTime,
}

impl Checked {
    /// Whether its time is over.
    pub(super) fn is_over(&self) -> bool {
        self.expires + time::Duration::seconds(LEEWAY as i64) < OffsetDateTime::now_utc()
    }
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
    /// What it claims is not what the type says.
    #[error("claims not as declared")]
    Claims,
    /// The key is none: not of its form, or no number of the curve, which happens to one of four billion derived ones.
    #[error("unusable key")]
    Key,
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
    ///
    /// # Errors
    /// When no key of this algorithm can be derived from it.
    pub(super) fn new(
        algorithm: TokenAlgorithm,
        key: &Key,
        previous: Option<&Key>,
        issuer: &str,
        lifetime: Duration,
    ) -> Result<Self, TokenError> {
        let keys = std::iter::once(key).chain(previous);
        let keys = keys.map(|key| SigningKey::derive(algorithm, key));
        let mut validation = Validation::new(keys::algorithm(algorithm));
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[issuer]);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        validation.validate_nbf = true;
        validation.leeway = LEEWAY;
        Ok(Self(Arc::new(Inner {
            keys: keys.collect::<Result<_, _>>()?,
            issuer: issuer.to_owned(),
            lifetime,
            validation,
        })))
    }

    /// How long a token is good for.
    pub(super) fn lifetime(&self) -> Duration {
        self.0.lifetime
    }

    /// The public keys that others check our tokens with; none for HS256.
    pub(crate) fn public_keys(&self) -> Vec<PublicKey> {
        let keys = self.0.keys.iter();
        keys.filter_map(|key| key.public.clone()).collect()
    }

    /// A fresh token for this account, good while its family is.
    pub(super) fn make(
        &self,
        account: Id<Account>,
        family: Id<Family>,
    ) -> Result<String, TokenError> {
        let now = OffsetDateTime::now_utc().unix_timestamp();
        let claims = Claims {
            iss: self.0.issuer.clone(),
            aud: self.0.issuer.clone(),
            sub: account.uuid(),
            sid: family.uuid(),
            exp: now + self.0.lifetime.as_secs() as i64,
            nbf: now,
            iat: now,
            jti: Uuid::now_v7(),
        };
        let key = self.0.keys.first().ok_or(TokenError::Key)?;
        let claims = serde_json::to_vec(&claims).map_err(|_| TokenError::Invalid)?;
        key.sign(&URL_SAFE_NO_PAD.encode(claims))
    }

    pub(super) fn check(&self, token: &str) -> Result<Checked, TokenError> {
        if token.len() > MAX_LENGTH {
            return Err(TokenError::Malformed);
        }
        let (header, rest) = token.split_once('.').ok_or(TokenError::Malformed)?;
        let (_, signature) = rest.split_once('.').ok_or(TokenError::Malformed)?;
        let mut keys = self.0.keys.iter();
        let key = keys
            .find(|key| key.header == header)
            .ok_or(TokenError::Malformed)?;
        if !key.is_canonical(signature) {
            return Err(TokenError::Invalid);
        }
        let claims = decode::<Claims>(token, &key.decoding, &self.0.validation).map_err(
            |error| match error.kind() {
                jsonwebtoken::errors::ErrorKind::ExpiredSignature => TokenError::Expired,
                _ => TokenError::Invalid,
            },
        )?;
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
            family: Id::from_uuid(claims.sid),
            jti: claims.jti,
            expires,
        })
    }
}
