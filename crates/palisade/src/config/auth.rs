//! Accounts, their passwords and their tokens: the table `[auth]`.

use std::time::Duration;

use super::Size;
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
