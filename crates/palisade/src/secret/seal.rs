//! Sealing: what the service has to read again, and nobody else may.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::error::Unspecified;

use super::Secret;
use super::key::Key;

/// The first byte of what is sealed: which form it has.
const FORM: u8 = 1;
const TAG: usize = 16;

/// Closes and opens with AES-256-GCM: the current key closes, the one before still opens.
///
/// # Security
/// Nonces are random, so one key closes a few thousand million texts at most (NIST SP 800-38D, section 8.3). What is closed for one context, such
/// as an account's id, opens for no other, so a sealed text that is copied into another row is worth nothing there.
pub(crate) struct Seal(Vec<RandomizedNonceKey>);

/// What was sealed.
pub(crate) struct Opened {
    pub(crate) bytes: Secret<Vec<u8>>,
    /// Whether a key before the current one closed it.
    #[cfg_attr(
        not(test),
        expect(
            dead_code,
            reason = "for whoever keeps what is sealed for longer than a day"
        )
    )]
    pub(crate) outdated: bool,
}

/// It was closed by a key that is not configured, for another context, or it was changed.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("sealed with a secret key that is not configured, or damaged")]
pub(crate) struct Unopened;

impl Seal {
    /// Closes with the first of the keys; each is for this alone.
    pub(crate) fn new(keys: impl IntoIterator<Item = Key>) -> Result<Self, Unspecified> {
        let keys = keys.into_iter();
        let keys = keys.map(|key| RandomizedNonceKey::new(&AES_256_GCM, key.expose()));
        keys.collect::<Result<_, _>>().map(Self)
    }

    /// Form, nonce, text, tag.
    pub(crate) fn close(&self, bytes: &[u8], context: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let key = self.0.first().ok_or(Unspecified)?;
        // As long as it gets, so that no copy of the open text is left behind.
        let mut text = Vec::with_capacity(bytes.len() + TAG);
        text.extend_from_slice(bytes);
        let nonce = key.seal_in_place_append_tag(Aad::from(context), &mut text)?;
        let mut sealed = Vec::with_capacity(1 + NONCE_LEN + text.len());
        sealed.push(FORM);
        sealed.extend_from_slice(nonce.as_ref());
        sealed.append(&mut text);
        Ok(sealed)
    }

    pub(crate) fn open(&self, sealed: &[u8], context: &[u8]) -> Result<Opened, Unopened> {
        let (head, text) = sealed.split_at_checked(1 + NONCE_LEN).ok_or(Unopened)?;
        if head[0] != FORM {
            return Err(Unopened);
        }
        for (at, key) in self.0.iter().enumerate() {
            let nonce = Nonce::try_assume_unique_for_key(&head[1..]).map_err(|_| Unopened)?;
            let mut opening = text.to_vec();
            if let Ok(open) = key.open_in_place(nonce, Aad::from(context), &mut opening) {
                let length = open.len();
                opening.truncate(length);
                return Ok(Opened {
                    bytes: Secret::new(opening),
                    outdated: at > 0,
                });
            }
        }
        Err(Unopened)
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal<const N: usize>(keys: [&Key; N]) -> Seal {
        Seal::new(keys.map(|key| key.derive("a test"))).expect("keys")
    }

    #[test]
    fn opens_what_it_closed_for_the_same_context_alone() {
        let key = Key::generate();
        let seal = seal([&key]);
        let sealed = seal.close(b"a shared secret", b"ann").unwrap();
        let opened = seal.open(&sealed, b"ann").unwrap();
        assert_eq!(opened.bytes.expose(), b"a shared secret");
        assert!(!opened.outdated);
        assert!(seal.open(&sealed, b"bob").is_err());
        assert!(!sealed.windows(6).any(|window| window == b"shared"));
        assert_ne!(sealed, seal.close(b"a shared secret", b"ann").unwrap());
    }

    #[test]
    fn opens_nothing_that_was_changed_anywhere() {
        let key = Key::generate();
        let seal = seal([&key]);
        let sealed = seal.close(b"a shared secret", b"ann").unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(seal.open(&changed, b"ann").is_err(), "byte {at}");
            assert!(seal.open(&sealed[..at], b"ann").is_err(), "{at} bytes");
        }
    }

    #[test]
    fn goes_on_opening_while_the_key_before_is_known() {
        let (old, new) = (Key::generate(), Key::generate());
        let sealed = seal([&old]).close(b"x", b"ann").unwrap();
        assert!(seal([&new, &old]).open(&sealed, b"ann").unwrap().outdated);
        assert!(seal([&new]).open(&sealed, b"ann").is_err());
    }
}
