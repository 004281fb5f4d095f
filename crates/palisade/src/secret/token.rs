//! Opaque tokens: random bits that are handed out once and kept as a hash.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{Secret, compare};

const BYTES: usize = 32;
const TEXT: usize = 43;

/// 256 random bits as text, for links, sessions, refresh and API keys.
///
/// Hand out [`expose`](Token::expose), keep [`hash`](Token::hash), find it again by the hash of what comes back.
///
/// # Security
/// From a cryptographic generator that the operating system seeds. A plain SHA-256 is right for storage, since 256 random bits cannot be guessed
/// from their hash (OWASP Session Management: at least 64 bits of entropy); passwords are not tokens and need Argon2id.
///
/// # Example
/// ```
/// use palisade::secret::token::Token;
/// let token = Token::new();
/// let kept = token.hash();
/// let came_back = Token::parse(token.expose()).expect("43 characters of base64url");
/// assert!(came_back.is(&kept));
/// ```
#[derive(Clone)]
pub struct Token(Secret<String>);

impl Token {
    /// A fresh token.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "no token is the default one")]
    pub fn new() -> Self {
        let bytes: Zeroizing<[u8; BYTES]> = Zeroizing::new(rand::random());
        Self(Secret::new(URL_SAFE_NO_PAD.encode(*bytes)))
    }

    /// What a client sent, when it has the form of a token: 43 characters of base64url.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(text).ok()?);
        (text.len() == TEXT && bytes.len() == BYTES).then(|| Self(text.into()))
    }

    /// Lends the text: for the one who receives it, and nobody else.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// Its SHA-256, which is what is stored.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.expose().as_bytes()).into()
    }

    /// Whether this is the token of that hash.
    #[must_use]
    pub fn is(&self, hash: &[u8]) -> bool {
        compare::equal(self.hash(), hash)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_hash_of_the_text_that_is_handed_out() {
        let token = Token::parse("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").unwrap();
        let hash: String = token.hash().iter().map(|b| format!("{b:02x}")).collect();
        // Counted with sha256sum.
        assert_eq!(
            hash,
            "0f007385b6f9d4b7eeb2748605afe1a984a0a3bfa3f014d09e2a784ce9e5cd1a"
        );
        assert!(token.is(&token.hash()));
        assert!(!token.is(&Token::new().hash()));
    }

    #[test]
    fn refuses_what_has_not_the_form_of_a_token() {
        for text in [
            "",
            "short",
            &"A".repeat(42),
            &"A".repeat(44),
            &"+".repeat(43),
        ] {
            assert!(Token::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn never_prints_itself() {
        let token = Token::new();
        assert!(!format!("{token:?}").contains(token.expose()));
    }
}
