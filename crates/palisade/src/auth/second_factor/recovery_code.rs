//! Recovery codes: for who lost his authenticator app.

use std::fmt;

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::base32;
use crate::access::{Account, Id};
use crate::input::{Field, Node, Reader, Text};
use crate::output::OutputField;

/// How many there are in a set.
pub(super) const SET: usize = 10;

const BYTES: usize = 15;
const GROUP: usize = 4;

/// 120 random bits as six groups of four characters, good once.
///
/// # Security
/// A secret to look up that has 112 bits or more may be kept as a plain hash (ASVS 5.0, 6.5.2; NIST SP 800-63B-4, section 3.1.2.2), which
/// no rotation of keys, and no loss of them, can make useless: it is what is left when everything else is gone.
pub(in crate::auth) struct RecoveryCode(Zeroizing<[u8; BYTES]>);

impl RecoveryCode {
    pub(super) fn generate() -> Self {
        Self(Zeroizing::new(rand::random()))
    }

    /// What is kept of it; the same code of two accounts is kept as two.
    pub(super) fn hash(&self, account: Id<Account>) -> [u8; 32] {
        let hash = Sha256::new().chain_update(account.uuid());
        hash.chain_update(*self.0).finalize().into()
    }

    fn parse(text: &str) -> Option<Self> {
        base32::decode_typed(text).map(Self)
    }

    fn text(&self) -> Zeroizing<String> {
        let plain = base32::encode(&*self.0, base32::CROCKFORD);
        let mut text = Zeroizing::new(String::with_capacity(plain.len() / GROUP * (GROUP + 1)));
        for (at, character) in plain.chars().enumerate() {
            if at > 0 && at % GROUP == 0 {
                text.push('-');
            }
            text.push(character);
        }
        text
    }
}

impl Field for RecoveryCode {
    fn read(node: Node, reader: &mut Reader) -> Option<Self> {
        let text = Zeroizing::new(Text::<1, 60>::read(node, reader)?.into_string());
        match Self::parse(&text) {
            Some(code) => Some(code),
            None => reader.refuse(
                "not_a_code",
                "must be six groups of four letters and digits",
            ),
        }
    }
}

impl OutputField for RecoveryCode {
    fn show<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_read_back_as_it_is_shown_and_as_people_type() {
        let code = RecoveryCode::generate();
        let text = code.text();
        let groups: Vec<_> = text.split('-').map(str::len).collect();
        assert_eq!(groups, [4; 6]);
        for typed in [
            text.to_string(),
            text.to_lowercase(),
            text.replace('-', " "),
        ] {
            assert_eq!(*RecoveryCode::parse(&typed).unwrap().0, *code.0);
        }
        assert!(RecoveryCode::parse(&text[1..]).is_none());
    }

    #[test]
    fn is_kept_as_another_hash_for_each_account() {
        let (code, ann) = (RecoveryCode::generate(), Id::new());
        assert_eq!(code.hash(ann), code.hash(ann));
        assert_ne!(code.hash(ann), code.hash(Id::new()));
        assert_ne!(code.hash(ann), RecoveryCode::generate().hash(ann));
    }
}
