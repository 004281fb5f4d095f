//! Accounts, their passwords and their tokens: the table `[auth]`.

use std::time::Duration;

use super::Size;
use super::setting::{Raw, Setting, Wrong};
use crate::secret::key::Key;

/// The settings of accounts, their passwords and their tokens: the table `[auth]`.
///
/// # Security
/// What protects passwords can be raised, never lowered: the lowest values are OWASP's.
#[palisade_macros::settings]
#[non_exhaustive]
pub struct AuthConfig {
    /// The `iss` and `aud` of access tokens.
    #[setting(default = "palisade", length = 1..=200)]
    pub issuer: String,
    /// How long an access token is good for.
    #[setting(default = "15m", range = "1m"..="1h")]
    pub access_token_lifetime: Duration,
    /// What signs access tokens.
    #[setting(default = "EdDSA")]
    pub token_algorithm: TokenAlgorithm,
    /// How long one sign-in can be refreshed, whatever happens.
    #[setting(default = "30d", range = "1h"..="365d")]
    pub refresh_token_lifetime: Duration,
    /// How long one sign-in can be refreshed when nobody refreshes it.
    #[setting(default = "14d", range = "1h"..="365d")]
    pub refresh_token_idle: Duration,
    /// How long a client may ask again for a refresh whose answer was lost.
    #[setting(default = "10s", range = "0s"..="30s")]
    pub refresh_grace: Duration,
    /// How long a browser stays signed in, whatever happens.
    #[setting(default = "7d", range = "15m"..="30d")]
    pub session_lifetime: Duration,
    /// How long a browser stays signed in while it asks for nothing.
    #[setting(default = "1d", range = "5m"..="30d")]
    pub session_idle: Duration,
    /// How long an API key is good for when its maker says nothing.
    #[setting(default = "90d", range = "1d"..="3650d")]
    pub api_key_lifetime: Duration,
    /// How long an API key can be made to be good for.
    #[setting(default = "365d", range = "1d"..="3650d")]
    pub api_key_max_lifetime: Duration,
    /// How long the old API key is good beside the new one after a rotation, at most.
    #[setting(default = "24h", range = "0s"..="30d")]
    pub api_key_overlap: Duration,
    /// How long a caller that was found good is not looked up again; other instances' revocations are seen after it.
    #[setting(default = "1s", range = "0s"..="10s")]
    pub recheck_after: Duration,
    /// How long failed tries can keep an account, an address or a network from signing in, at most.
    #[setting(default = "15m", range = "1m"..="1h")]
    pub lockout_cap: Duration,
    /// How long wrong codes can keep the codes of an account from being tried, at most.
    #[setting(default = "1d", range = "15m"..="7d")]
    pub second_factor_lockout_cap: Duration,
    /// Whether an account signs in only when its address is verified; `true` in production, where nothing else is said.
    pub require_verified_email: Option<bool>,
    /// How long the token that verifies an address is good for.
    #[setting(default = "24h", range = "10m"..="24h")]
    pub verification_lifetime: Duration,
    /// How long the token that resets a password is good for.
    #[setting(default = "30m", range = "5m"..="30m")]
    pub reset_lifetime: Duration,
    /// How long the token that confirms a new address is good for.
    #[setting(default = "24h", range = "10m"..="24h")]
    pub email_change_lifetime: Duration,
    /// The memory of one password hash.
    #[setting(default = "19 MiB", range = "19 MiB"..="1 GiB")]
    pub password_memory: Size,
    /// The passes of one password hash over its memory.
    #[setting(default = 2, range = 2..=20)]
    pub password_passes: u32,
    /// How hard to guess a new password must be, as zxcvbn scores it.
    #[setting(default = 3, range = 2..=4)]
    pub password_strength: u8,
    /// Passwords that are hashed at the same time; by default one fewer than there are processors.
    #[setting(range = 1..=256)]
    pub password_parallelism: Option<u32>,
    /// Passwords that wait for their turn; more are told to come back.
    #[setting(default = 64, range = 1..=10_000)]
    pub password_queue: u32,
    /// A key that every password is hashed with, kept apart from the database.
    pub pepper: Option<Key>,
    /// The pepper before this one, while there are hashes of it.
    pub pepper_previous: Option<Key>,
}

/// What signs access tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenAlgorithm {
    /// Ed25519: others check tokens with a public key.
    EdDsa,
    /// ECDSA over P-256, for what does not know Ed25519.
    Es256,
    /// HMAC-SHA256: only this service checks its tokens.
    Hs256,
}

impl TokenAlgorithm {
    /// Its name in a token's header (RFC 7518, RFC 8037).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Hs256 => "HS256",
        }
    }
}

impl Setting for TokenAlgorithm {
    fn read(raw: Raw<'_>) -> Result<Self, Wrong> {
        let text = raw.text()?;
        let known = [Self::EdDsa, Self::Es256, Self::Hs256];
        let mut known = known.into_iter();
        known
            .find(|algorithm| algorithm.name() == text)
            .ok_or(Wrong::new(
                "is not an algorithm for tokens",
                "write EdDSA, ES256 or HS256",
            ))
    }
}
