//! Peppers: a key beside the database, without which the hashes in it cannot be guessed at.

use std::fmt;

use crate::config::AuthConfig;
use crate::secret::key::Key;

/// Which pepper a hash was made with: eight characters that stand in the hash and tell nothing of the key.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::auth) struct PepperId([u8; 6]);

impl PepperId {
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn of_key(key: &Key) -> Self {
        let mark = key.sign(b"pepper id");
        let mut id = [0; 6];
        id.copy_from_slice(&mark[..6]);
        Self(id)
    }
}

/// As it stands in a hash.
impl fmt::Display for PepperId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use base64::Engine as _;
        f.write_str(&base64::engine::general_purpose::STANDARD_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for PepperId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The pepper of new hashes, and those that old ones may have.
#[derive(Debug, Clone)]
pub(super) struct Peppers {
    pub(super) current: Option<(PepperId, Key)>,
    previous: Option<(PepperId, Key)>,
}

impl Peppers {
    pub(super) fn new(config: &AuthConfig) -> Self {
        let made = |key: &Key| {
            let key = key.derive("password pepper");
            (PepperId::of_key(&key), key)
        };
        Self {
            current: config.pepper.as_ref().map(made),
            previous: config.pepper_previous.as_ref().map(made),
        }
    }

    /// The pepper of this id.
    pub(super) fn key(&self, id: &PepperId) -> Option<&Key> {
        let both = self.current.iter().chain(&self.previous);
        both.into_iter()
            .find(|(own, _)| own == id)
            .map(|(_, key)| key)
    }

    pub(super) fn ids(&self) -> Vec<PepperId> {
        let both = self.current.iter().chain(&self.previous);
        both.map(|(id, _)| id.clone()).collect()
    }
}
