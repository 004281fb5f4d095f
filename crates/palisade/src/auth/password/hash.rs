//! The hash of a password: Argon2id in PHC form.

use std::fmt;

use argon2::password_hash::phc;
use argon2::{
    Algorithm, Argon2, Params, ParamsBuilder, PasswordHasher as _, PasswordVerifier, Version,
};
use sha2::{Digest as _, Sha256};

use super::pepper::{PepperId, Peppers};

use crate::config::AuthConfig;
use crate::db::{Bind, Cell, Column, ColumnError, Value};
use crate::error::{Error, Result};
use crate::input::{Alike, Kept};

/// Memory that a stored hash may ask for: 1 GiB, so that a row cannot take all there is.
const MOST_MEMORY_KIB: u32 = 1024 * 1024;
const MOST_PASSES: u32 = 64;

/// A hashed password, to be stored and to be verified.
///
/// # Security
/// [`Passwords`](super::Passwords) makes it; a column gives it back. It can be bound in a statement, and it is never printed,
/// serialized or compared: a hash that leaks can be guessed at.
#[derive(Clone)]
pub struct PasswordHash(String);

#[cfg(test)]
impl PasswordHash {
    pub(super) fn of_column(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }
}

impl PasswordHash {
    /// What tells one hash from the next; nobody can guess a password by it who has not its salt.
    pub(in crate::auth) fn mark(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash([redacted])")
    }
}

// Holds for no right side: it is here for its message, as with passwords.
impl<U> PartialEq<U> for PasswordHash
where
    Kept<U>: Alike,
{
    fn eq(&self, _: &U) -> bool {
        false
    }
}

impl Bind for PasswordHash {
    const NULL: Value = Value::Text(None);
    fn value(&self) -> Value {
        Value::Text(Some(self.0.clone()))
    }
}

impl Column for PasswordHash {
    fn read(cell: Cell) -> Result<Self, ColumnError> {
        String::read(cell).map(Self)
    }
}

/// How passwords are hashed now, and which hashes can be read.
#[derive(Debug, Clone)]
pub(super) struct Hasher {
    memory_kib: u32,
    passes: u32,
    pub(super) peppers: Peppers,
}

/// A stored hash that this build can verify.
enum Stored {
    Argon2 {
        hash: Box<phc::PasswordHash>,
        params: Params,
        pepper: Option<PepperId>,
    },
    #[cfg(feature = "import-passwords")]
    Imported(super::import::Imported),
}

impl Hasher {
    pub(super) fn new(config: &AuthConfig) -> Self {
        Self {
            memory_kib: u32::try_from(config.password_memory.bytes() / 1024).unwrap_or(u32::MAX),
            passes: config.password_passes,
            peppers: Peppers::new(config),
        }
    }

    pub(super) fn hash(&self, password: &str) -> Result<PasswordHash> {
        let mut params = ParamsBuilder::new();
        params.m_cost(self.memory_kib).t_cost(self.passes).p_cost(1);
        let secret = self.peppers.current.as_ref();
        if let Some((id, _)) = secret {
            params.keyid(argon2::KeyId::new(id.bytes()).map_err(failed)?);
        }
        let key = secret.map(|(_, key)| key.expose());
        let argon2 = argon2(key, params.build().map_err(failed)?)?;
        let hash: phc::PasswordHash = argon2.hash_password(password.as_bytes()).map_err(failed)?;
        Ok(PasswordHash(hash.to_string()))
    }

    /// Whether it is of a form that this build reads; what is not belongs to an account that cannot sign in by password.
    pub(super) fn can_read(&self, hash: &PasswordHash) -> bool {
        let known = self.read(&hash.0).is_some();
        // `!` is written where nobody may sign in by password.
        if !known && hash.0 != "!" {
            tracing::error!(
                "an account's password hash is of a form, cost or pepper that this build does not read: its owner cannot sign in"
            );
        }
        known
    }

    pub(super) fn verify(&self, password: &str, hash: &PasswordHash) -> bool {
        match self.read(&hash.0) {
            None => false,
            Some(Stored::Argon2 {
                hash,
                params,
                pepper,
            }) => {
                let key = pepper.and_then(|id| self.peppers.key(&id));
                argon2(key.map(|key| key.expose()), params).is_ok_and(|argon2| {
                    let password = password.as_bytes();
                    PasswordVerifier::<phc::PasswordHash>::verify_password(&argon2, password, &hash)
                        .is_ok()
                })
            }
            #[cfg(feature = "import-passwords")]
            Some(Stored::Imported(imported)) => imported.verify(password),
        }
    }

    /// Whether it would be made like this today.
    pub(super) fn is_current(&self, hash: &PasswordHash) -> bool {
        match self.read(&hash.0) {
            Some(Stored::Argon2 { params, pepper, .. }) => {
                params.m_cost() >= self.memory_kib
                    && params.t_cost() >= self.passes
                    && pepper.as_ref() == self.peppers.current.as_ref().map(|(id, _)| id)
            }
            _ => false,
        }
    }

    fn read(&self, text: &str) -> Option<Stored> {
        #[cfg(feature = "import-passwords")]
        if let Some(imported) = super::import::Imported::read(text) {
            return Some(Stored::Imported(imported));
        }
        // Django writes the name of the family before the PHC form.
        let text = text.strip_prefix("argon2$").map_or_else(
            || std::borrow::Cow::Borrowed(text),
            |rest| format!("${rest}").into(),
        );
        let hash = phc::PasswordHash::new(&text).ok()?;
        let params = Params::try_from(&hash).ok()?;
        let fits = hash.algorithm == argon2::ARGON2ID_IDENT
            && hash.version == Some(Version::V0x13.into())
            && params.m_cost() <= MOST_MEMORY_KIB
            && params.t_cost() <= MOST_PASSES;
        let pepper = match params.keyid() {
            [] => None,
            // A pepper that is not configured: nobody can tell whether the password is right.
            id => Some(PepperId::of(id).filter(|id| self.peppers.key(id).is_some())?),
        };
        fits.then_some(Stored::Argon2 {
            hash: Box::new(hash),
            params,
            pepper,
        })
    }
}

fn argon2(pepper: Option<&[u8]>, params: Params) -> Result<Argon2<'_>> {
    let (id, version) = (Algorithm::Argon2id, Version::V0x13);
    match pepper {
        Some(key) => Argon2::new_with_secret(key, id, version, params).map_err(failed),
        None => Ok(Argon2::new(id, version, params)),
    }
}

fn failed(error: impl fmt::Display) -> Error {
    Error::internal().caused_by(error.to_string())
}
