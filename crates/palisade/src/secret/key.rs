//! Keys: the one secret that everything else is derived from.

mod strength;

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::Secret;
pub use strength::WeakKey;

/// What the command writes before the keys of a development machine; production refuses a key that starts with it.
pub const DEVELOPMENT_MARK: &str = "dev_";

const MINIMUM: usize = 32;

/// A strong secret key: at least 32 random bytes, one derived key for each purpose.
///
/// # Security
/// Made from configuration by [`parse`](Key::parse), which refuses what is short, repeated, sequential, readable or
/// published somewhere. It cannot know that a key is random: make it with `openssl rand -base64 32`. Never use one key for
/// two purposes: [`derive`](Key::derive) gives each its own, so that a token made for one is worth nothing for another.
///
/// # Example
/// ```
/// use palisade::secret::key::Key;
/// let root = Key::generate();
/// let links = root.derive("unsubscribe links");
/// let tag = links.sign(b"account 7");
/// assert!(links.verify(b"account 7", &tag));
/// assert!(!root.derive("password resets").verify(b"account 7", &tag));
/// ```
#[derive(Clone)]
pub struct Key {
    bytes: Secret<Vec<u8>>,
    development: bool,
}

impl Key {
    /// Reads a key from its text: hexadecimal or base64 (either alphabet, padded or not) of at least 32 bytes.
    ///
    /// # Errors
    /// [`WeakKey`] says what is wrong with it, never what it is.
    pub fn parse(text: &str) -> Result<Self, WeakKey> {
        let random = text.strip_prefix(DEVELOPMENT_MARK);
        Ok(Self {
            bytes: Secret::new(strength::strong(random.unwrap_or(text), MINIMUM)?),
            development: random.is_some(),
        })
    }

    /// A fresh key for this process alone, for tests and for what need not outlive a restart.
    #[must_use]
    pub fn generate() -> Self {
        let bytes: Zeroizing<[u8; MINIMUM]> = Zeroizing::new(rand::random());
        Self {
            bytes: Secret::new(bytes.to_vec()),
            development: false,
        }
    }

    /// The text of a fresh random key, for a configuration file that is written now.
    #[must_use]
    pub fn generate_text() -> Secret<String> {
        let bytes: Zeroizing<[u8; MINIMUM]> = Zeroizing::new(rand::random());
        Secret::new(URL_SAFE_NO_PAD.encode(*bytes))
    }

    /// The key for one purpose: HKDF-SHA256 (RFC 5869) of this key with the purpose as its info.
    ///
    /// The purpose is part of what stored signatures depend on: never change one.
    #[must_use]
    pub fn derive(&self, purpose: impl Purpose) -> Self {
        let mut bytes = vec![0; MINIMUM];
        Hkdf::<Sha256>::new(Some(b"palisade"), self.expose())
            .expand(purpose.text().as_bytes(), &mut bytes)
            .expect("32 bytes are one block, and HKDF gives 255");
        Self {
            bytes: Secret::new(bytes),
            development: self.development,
        }
    }

    /// The HMAC-SHA256 (RFC 2104) of a message.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 32] {
        self.mac(message).finalize().into_bytes().into()
    }

    /// Whether `tag` is this key's signature of the message, in constant time.
    #[must_use]
    pub fn verify(&self, message: &[u8], tag: &[u8]) -> bool {
        self.mac(message).verify_slice(tag).is_ok()
    }

    /// Lends the bytes, for a library that wants the key itself.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.bytes.expose()
    }

    /// Whether the text carried [`DEVELOPMENT_MARK`]; production does not start with such a key.
    #[must_use]
    pub fn is_for_development(&self) -> bool {
        self.development
    }

    /// Whether both are the same key, in constant time.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        super::compare::equal(self.expose(), other.expose())
    }

    fn mac(&self, message: &[u8]) -> Hmac<Sha256> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.expose()).expect("HMAC takes a key of any length");
        mac.update(message);
        mac
    }
}

/// What a derived key is for: a literal of the code.
#[diagnostic::on_unimplemented(
    message = "P0604: the purpose of a key is a literal, not a `{Self}`",
    label = "computed at run time, so somebody else could choose it",
    note = "name the purpose by a literal, and put what varies into the message that is signed",
    note = "`palisade explain P0604` tells why"
)]
pub trait Purpose: sealed::Literal {
    #[doc(hidden)]
    fn text(self) -> &'static str;
}

impl Purpose for &'static str {
    fn text(self) -> &'static str {
        self
    }
}

mod sealed {
    pub trait Literal {}
    impl Literal for &'static str {}
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len() / 2)
            .map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap())
            .collect()
    }

    fn key(bytes: Vec<u8>) -> Key {
        Key {
            bytes: Secret::new(bytes),
            development: false,
        }
    }

    #[test]
    fn signs_as_rfc_4231_says() {
        let tag = key(vec![0x0b; 20]).sign(b"Hi There");
        let expected = hex("b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
        assert_eq!(tag.to_vec(), expected);
    }

    #[test]
    fn derives_as_rfc_5869_says_with_our_salt() {
        let root = key((0..32).collect());
        let extract = key(b"palisade".to_vec()).sign(root.expose());
        let expand = key(extract.to_vec()).sign(b"access tokens\x01");
        assert_eq!(root.derive("access tokens").expose(), expand);
    }

    #[test]
    fn gives_each_purpose_its_own_key() {
        let root = Key::generate();
        let tag = root.derive("a").sign(b"message");
        assert!(root.derive("a").verify(b"message", &tag));
        assert!(!root.derive("b").verify(b"message", &tag));
        assert!(!root.derive("a").verify(b"massage", &tag));
        assert!(!root.derive("a").verify(b"message", &tag[..31]));
    }

    #[test]
    fn reads_back_what_it_generates() {
        let text = Key::generate_text();
        assert_eq!(Key::parse(text.expose()).unwrap().expose().len(), 32);
        let marked = format!("{DEVELOPMENT_MARK}{}", text.expose());
        let marked = Key::parse(&marked).unwrap();
        assert!(marked.is_for_development() && marked.derive("x").is_for_development());
        assert!(marked.is(&Key::parse(text.expose()).unwrap()));
    }
}
