//! Passwords are hashed by Argon2id, away from the async threads, a bounded number at a time.

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use tokio::sync::Semaphore;

use crate::error::{Error, Result};
use crate::input::Password;

/// OWASP's password storage cheat sheet: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
/// How long a request waits for its turn before it is told to come back.
const WAIT: Duration = Duration::from_secs(3);

/// Hashes and verifies passwords.
///
/// # Security
/// Argon2id with OWASP's parameters. As many hashes run at once as there are processors, so that a flood of sign-ins cannot
/// take all memory; what waits longer than three seconds is answered 503. An unknown account costs the same work as a known
/// one.
#[derive(Debug, Clone)]
pub struct Passwords {
    turns: Arc<Semaphore>,
    /// The hash of a password that nobody knows, for accounts that are not there.
    decoy: Arc<str>,
}

impl Passwords {
    /// Makes ready; hashes once.
    ///
    /// # Errors
    /// When the machine gives no randomness.
    pub fn new() -> Result<Self> {
        let turns = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let nobody_knows = crate::secret::token::Token::new();
        let decoy = hash(nobody_knows.expose().as_bytes())?;
        Ok(Self {
            turns: Arc::new(Semaphore::new(turns)),
            decoy: decoy.into(),
        })
    }

    /// The hash to store, in PHC form, with a fresh salt.
    ///
    /// # Errors
    /// 503 when too many hashes are waiting.
    pub async fn hash(&self, password: Password) -> Result<String> {
        self.in_turn(move || hash(password.expose().as_bytes()))
            .await
    }

    /// Whether the password is the one that was hashed; `None` is an account that is not there, at the same cost.
    ///
    /// # Errors
    /// 503 when too many hashes are waiting.
    pub async fn verify(&self, password: Password, hash: Option<String>) -> Result<bool> {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.decoy.to_string());
        let same = self.in_turn(move || {
            let parsed = PasswordHash::new(&hash)
                .map_err(|error| Error::internal().caused_by(error.to_string()))?;
            Ok(PasswordVerifier::<PasswordHash>::verify_password(
                &argon2()?,
                password.expose().as_bytes(),
                &parsed,
            )
            .is_ok())
        });
        Ok(same.await? && known)
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let turn = tokio::time::timeout(WAIT, Arc::clone(&self.turns).acquire_owned());
        let turn = turn.await.map_err(|_| Error::unavailable())??;
        tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        })
        .await?
    }
}

fn argon2() -> Result<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None)
        .map_err(|error| Error::internal().caused_by(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash(password: &[u8]) -> Result<String> {
    let hash = PasswordHasher::<PasswordHash>::hash_password(&argon2()?, password);
    hash.map(|hash| hash.to_string())
        .map_err(|error| Error::internal().caused_by(error.to_string()))
}
