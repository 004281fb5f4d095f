//! Checking the JWTs of others: with their key, and nothing that the token says of itself.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use time::OffsetDateTime;

use super::{LEEWAY, MAX_LENGTH, TokenError};
use crate::input::{Input, from_json};
use crate::secret::key::Key;

/// Longer than this no token is taken, whatever its `exp` says, unless [`JwtCheck::longest`] says otherwise.
const LONGEST: Duration = Duration::from_secs(86_400);

/// The key that somebody's tokens are checked with; it carries its algorithm, so a token cannot choose another.
#[derive(Clone)]
pub struct JwtKey {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl fmt::Debug for JwtKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("JwtKey").field(&self.algorithm).finish()
    }
}

impl JwtKey {
    /// An Ed25519 public key: the `x` of its JWK.
    ///
    /// # Errors
    /// When it is not 32 bytes in base64url.
    pub fn ed25519(x: &str) -> Result<Self, TokenError> {
        coordinate(x)?;
        Ok(Self {
            algorithm: Algorithm::EdDSA,
            key: DecodingKey::from_ed_components(x).map_err(|_| TokenError::Key)?,
        })
    }

    /// A P-256 public key: the `x` and `y` of its JWK.
    ///
    /// # Errors
    /// When one of them is not 32 bytes in base64url.
    pub fn p256(x: &str, y: &str) -> Result<Self, TokenError> {
        coordinate(x)?;
        coordinate(y)?;
        Ok(Self {
            algorithm: Algorithm::ES256,
            key: DecodingKey::from_ec_components(x, y).map_err(|_| TokenError::Key)?,
        })
    }

    /// A key that is shared with who signs, for HMAC-SHA256.
    pub fn shared(key: &Key) -> Self {
        Self {
            algorithm: Algorithm::HS256,
            key: DecodingKey::from_secret(key.expose()),
        }
    }
}

fn coordinate(text: &str) -> Result<(), TokenError> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| TokenError::Key)?;
    if bytes.len() == 32 {
        Ok(())
    } else {
        Err(TokenError::Key)
    }
}

/// Not named yet.
#[derive(Debug, Clone, Copy)]
pub struct Open;
/// Named.
#[derive(Debug, Clone, Copy)]
pub struct Pinned;

/// How the tokens of one other service are checked.
///
/// # Security
/// The key pins the algorithm, and [`check`](Self::check) is there only when issuer and audience are pinned too (RFC 8725, sections 3.1,
/// 3.8 and 3.9). `exp` is required, `nbf` and `iat` hold when they are there; headers that ask for more (`crit`, `zip`, `b64`, `enc`) are
/// refused, and those that bring a key (`jwk`, `jku`, `x5u`) say nothing. What it claims comes out as an `#[input]` type.
///
/// It is for keys that were agreed upon. It fetches none, and it does not know whether a token was revoked.
///
/// # Example
/// ```
/// use palisade::auth::{JwtCheck, JwtKey};
/// use palisade::prelude::*;
///
/// #[input(strip_unknown)]
/// struct Claims { sub: Text<1, 100> }
///
/// # fn main() -> Result<(), palisade::auth::TokenError> {
/// let key = JwtKey::ed25519("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")?;
/// let partner = JwtCheck::new(key).issuer("https://partner.example").audience("notes");
/// assert!(partner.check::<Claims>("not.a.token").is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct JwtCheck<Issuer = Open, Audience = Open> {
    key: JwtKey,
    issuer: String,
    audience: String,
    kind: Option<String>,
    longest: Duration,
    pinned: PhantomData<fn() -> (Issuer, Audience)>,
}

/// Holds for a check whose issuer and audience are pinned.
#[diagnostic::on_unimplemented(
    message = "P0901: a JWT is checked without a pinned issuer and audience",
    label = "would take tokens that somebody else made, or that were made for somebody else",
    note = "name both before `.check(…)`: `.issuer(\"https://…\")` says who made the token, `.audience(\"…\")` is this service",
    note = "`palisade explain P0901` tells why"
)]
#[doc(hidden)]
pub trait Complete {}

impl Complete for JwtCheck<Pinned, Pinned> {}

impl JwtCheck {
    /// A check with this key; name the issuer and the audience next.
    #[must_use]
    pub fn new(key: JwtKey) -> Self {
        Self {
            key,
            issuer: String::new(),
            audience: String::new(),
            kind: None,
            longest: LONGEST,
            pinned: PhantomData,
        }
    }
}

impl<I, A> JwtCheck<I, A> {
    /// Who made the token: its `iss`, exactly.
    #[must_use]
    pub fn issuer(self, issuer: impl Into<String>) -> JwtCheck<Pinned, A> {
        JwtCheck {
            issuer: issuer.into(),
            ..self.with()
        }
    }

    /// Whom it was made for: this must be its `aud`, or one of them.
    #[must_use]
    pub fn audience(self, audience: impl Into<String>) -> JwtCheck<I, Pinned> {
        JwtCheck {
            audience: audience.into(),
            ..self.with()
        }
    }

    /// What kind of token it is: its `typ`, such as `at+jwt` (RFC 8725, section 3.11).
    #[must_use]
    pub fn kind(mut self, typ: impl Into<String>) -> Self {
        self.kind = Some(typ.into());
        self
    }

    /// The longest time that a token may still have; a day, when nobody says otherwise.
    #[must_use]
    pub fn longest(mut self, time: Duration) -> Self {
        self.longest = time;
        self
    }

    /// What the token claims, when it is good.
    ///
    /// # Errors
    /// [`TokenError`] says what is wrong, for the log alone: answer 401.
    pub fn check<T: Input>(&self, token: &str) -> Result<T, TokenError>
    where
        Self: Complete,
    {
        if token.len() > MAX_LENGTH {
            return Err(TokenError::Malformed);
        }
        let header = decode_header(token).map_err(|_| TokenError::Malformed)?;
        let asks = self.asks(token)?;
        let kind = self.kind.as_deref();
        if asks || kind.is_some_and(|kind| header.typ.as_deref() != Some(kind)) {
            return Err(TokenError::Malformed);
        }
        let times: Times = decode(token, &self.key.key, &self.rules())
            .map_err(|error| match error.kind() {
                jsonwebtoken::errors::ErrorKind::ExpiredSignature => TokenError::Expired,
                _ => TokenError::Invalid,
            })?
            .claims;
        let now = OffsetDateTime::now_utc().unix_timestamp();
        let left = times.exp.saturating_sub(now);
        let early = times.iat.is_some_and(|iat| iat > now + LEEWAY as i64);
        if early || left > self.longest.as_secs() as i64 + LEEWAY as i64 {
            return Err(TokenError::Invalid);
        }
        let claims = token.split('.').nth(1).unwrap_or_default();
        let claims = URL_SAFE_NO_PAD
            .decode(claims)
            .map_err(|_| TokenError::Malformed)?;
        from_json(&claims).map_err(|_| TokenError::Claims)
    }

    /// Whether the header asks for something that is not done here.
    fn asks(&self, token: &str) -> Result<bool, TokenError> {
        let header = token.split('.').next().unwrap_or_default();
        let header = URL_SAFE_NO_PAD
            .decode(header)
            .map_err(|_| TokenError::Malformed)?;
        let header: serde_json::Map<String, serde_json::Value> =
            serde_json::from_slice(&header).map_err(|_| TokenError::Malformed)?;
        let more = ["crit", "b64", "zip", "enc", "cty"];
        Ok(more.iter().any(|name| header.contains_key(*name)))
    }

    fn rules(&self) -> Validation {
        let mut rules = Validation::new(self.key.algorithm);
        rules.set_issuer(&[&self.issuer]);
        rules.set_audience(&[&self.audience]);
        rules.set_required_spec_claims(&["exp", "iss", "aud"]);
        rules.validate_nbf = true;
        rules.leeway = LEEWAY;
        rules
    }

    fn with<J, B>(self) -> JwtCheck<J, B> {
        JwtCheck {
            key: self.key,
            issuer: self.issuer,
            audience: self.audience,
            kind: self.kind,
            longest: self.longest,
            pinned: PhantomData,
        }
    }
}

/// What is looked at beside the library's own rules; an issuer that is a list is none.
#[derive(Deserialize)]
struct Times {
    #[serde(rename = "iss")]
    _iss: String,
    exp: i64,
    iat: Option<i64>,
}

#[cfg(test)]
mod wycheproof;

#[cfg(test)]
mod tests {
    use jsonwebtoken::{EncodingKey, crypto};
    use serde_json::{Value, json};

    use super::*;
    use crate::access::Id;
    use crate::auth::jwt::{AccessTokens, PublicKey};
    use crate::config::TokenAlgorithm;
    use crate::input::Text;
    use palisade_macros::input;

    #[input(strip_unknown)]
    struct Claims {
        sub: Text<1, 100>,
    }

    fn signed(key: &Key, header: &Value, claims: &Value) -> String {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", encode(header), encode(claims));
        let secret = EncodingKey::from_secret(key.expose());
        let signature = crypto::sign(message.as_bytes(), &secret, Algorithm::HS256).unwrap();
        format!("{message}.{signature}")
    }

    #[test]
    fn takes_what_the_pinned_issuer_made_for_us() {
        for algorithm in [TokenAlgorithm::EdDsa, TokenAlgorithm::Es256] {
            let lifetime = Duration::from_secs(900);
            let key = Key::generate();
            let theirs = AccessTokens::new(algorithm, &key, None, "them", lifetime).unwrap();
            let (account, family) = (Id::new(), Id::new());
            let token = theirs.make(account, family).unwrap();
            let key = match &theirs.public_keys()[0] {
                PublicKey::Ed25519 { x, .. } => JwtKey::ed25519(x).unwrap(),
                PublicKey::P256 { x, y, .. } => JwtKey::p256(x, y).unwrap(),
            };
            let check = JwtCheck::new(key)
                .issuer("them")
                .audience("them")
                .kind("at+jwt");
            let claims: Claims = check.check(&token).unwrap();
            assert_eq!(*claims.sub, account.to_string());
            let other = check.clone().audience("us");
            assert_eq!(
                other.check::<Claims>(&token).err(),
                Some(TokenError::Invalid)
            );
            let other = check.clone().issuer("us");
            assert_eq!(
                other.check::<Claims>(&token).err(),
                Some(TokenError::Invalid)
            );
            let other = check.clone().kind("JWT");
            assert_eq!(
                other.check::<Claims>(&token).err(),
                Some(TokenError::Malformed)
            );
            let short = check.longest(Duration::from_secs(60));
            assert_eq!(
                short.check::<Claims>(&token).err(),
                Some(TokenError::Invalid)
            );
        }
        assert_eq!(JwtKey::ed25519("AAAA").err(), Some(TokenError::Key));
    }

    #[test]
    fn refuses_what_the_pinned_key_signed_with_claims_that_do_not_hold() {
        let key = Key::generate();
        let check = JwtCheck::new(JwtKey::shared(&key))
            .issuer("them")
            .audience("us");
        let now = OffsetDateTime::now_utc().unix_timestamp();
        let good = json!({"iss": "them", "aud": ["us", "others"], "sub": "s", "exp": now + 60, "iat": now});
        let header = json!({"alg": "HS256"});
        check
            .check::<Claims>(&signed(&key, &header, &good))
            .unwrap();
        let with = |name: &str, value: Value| {
            let mut claims = good.clone();
            claims[name] = value;
            claims
        };
        let mut bad = vec![
            with("iss", json!(7)),
            with("iss", json!(["them"])),
            with("aud", json!({})),
            with("aud", json!([])),
            with("aud", json!("others")),
            with("exp", json!(now - 60)),
            with("exp", json!(now + 90_000)),
            with("exp", json!("soon")),
            with("exp", json!(-1)),
            with("exp", json!(1e300)),
            with("nbf", json!(now + 60)),
            with("nbf", json!("later")),
            with("iat", json!(now + 60)),
            with("iat", json!("now")),
            with("sub", json!("")),
            with("sub", json!(7)),
        ];
        for name in ["iss", "aud", "exp", "sub"] {
            let mut claims = good.clone();
            claims.as_object_mut().unwrap().remove(name);
            bad.push(claims);
        }
        for claims in &bad {
            assert!(
                check
                    .check::<Claims>(&signed(&key, &header, claims))
                    .is_err(),
                "{claims}"
            );
        }
        for header in [
            json!({"alg": "none"}),
            json!({"alg": "HS512"}),
            json!({"alg": "EdDSA"}),
            json!({"alg": "HS256", "crit": ["exp"]}),
            json!({"alg": "HS256", "crit": []}),
            json!({"alg": "HS256", "b64": false}),
            json!({"alg": "HS256", "zip": "DEF"}),
            json!({"alg": "HS256", "cty": "JWT"}),
            json!({"typ": "JWT"}),
        ] {
            assert!(
                check
                    .check::<Claims>(&signed(&key, &header, &good))
                    .is_err(),
                "{header}"
            );
        }
        let other = signed(&Key::generate(), &header, &good);
        assert_eq!(
            check.check::<Claims>(&other).err(),
            Some(TokenError::Invalid)
        );
    }
}
