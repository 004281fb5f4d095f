//! The text of an API key: a prefix, the key's public id, 256 random bits and a checksum.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use crc::{CRC_32_ISO_HDLC, Crc};
use sha2::{Digest, Sha256};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::ApiKey;
use crate::access::Id;
use crate::output::OutputField;

/// What secret scanners look for: `pak_[A-Za-z0-9_-]{70}`.
const PREFIX: &str = "pak_";
const TEXT: usize = 70;
const ID: usize = 16;
const SECRET: usize = ID + 32;
const LENGTH: usize = SECRET + 4;
/// Characters after the prefix that come from the id alone.
const PUBLIC: usize = 20;

/// Tells a key from what only looks like one, without a look into the database: a typing error, a cut text, a made-up one.
const CHECKSUM: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// An API key; printed nowhere but in the answer that hands it out.
#[derive(Clone)]
pub(in crate::auth) struct KeyText(Zeroizing<[u8; LENGTH]>);

impl KeyText {
    /// A fresh secret for the key of this id.
    pub(in crate::auth) fn new(id: Id<ApiKey>) -> Self {
        let mut bytes = Zeroizing::new([0; LENGTH]);
        bytes[..ID].copy_from_slice(id.uuid().as_bytes());
        let secret: Zeroizing<[u8; SECRET - ID]> = Zeroizing::new(rand::random());
        bytes[ID..SECRET].copy_from_slice(&*secret);
        let sum = checksum(&bytes);
        bytes[SECRET..].copy_from_slice(&sum);
        Self(bytes)
    }

    /// What a client sent, when it has the form of a key and its checksum is right.
    pub(in crate::auth) fn parse(text: &str) -> Option<Self> {
        let text = text
            .strip_prefix(PREFIX)
            .filter(|text| text.len() == TEXT)?;
        let mut bytes = Zeroizing::new([0; LENGTH]);
        let read = URL_SAFE_NO_PAD.decode_slice(text, bytes.as_mut_slice());
        (read == Ok(LENGTH) && checksum(&bytes) == bytes[SECRET..]).then_some(Self(bytes))
    }

    pub(super) fn id(&self) -> Id<ApiKey> {
        let mut id = [0; ID];
        id.copy_from_slice(&self.0[..ID]);
        Id::from_uuid(Uuid::from_bytes(id))
    }

    /// What is kept of it.
    pub(super) fn hash(&self) -> [u8; 32] {
        Sha256::digest(&self.0[..SECRET]).into()
    }
}

/// How every key of this id begins; tells which key it is, and nothing of its secret.
pub(in crate::auth) fn beginning(id: Id<ApiKey>) -> String {
    let mut text = URL_SAFE_NO_PAD.encode(id.uuid().as_bytes());
    text.truncate(PUBLIC);
    format!("{PREFIX}{text}")
}

/// The first thing in a query string that looks like a key, in a name or a value, however it is encoded.
pub(super) fn in_query(query: Option<&str>) -> Option<String> {
    let words = url::form_urlencoded::parse(query?.as_bytes());
    words
        .flat_map(|(name, value)| [name, value])
        .find_map(|word| {
            let mut starts = word.match_indices(PREFIX);
            starts.find_map(|(at, _)| {
                let text = word.get(at..at + PREFIX.len() + TEXT)?;
                let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
                text.bytes().all(plain).then(|| text.to_owned())
            })
        })
}

fn checksum(bytes: &[u8; LENGTH]) -> [u8; 4] {
    let mut digest = CHECKSUM.digest();
    digest.update(PREFIX.as_bytes());
    digest.update(&bytes[..SECRET]);
    digest.finalize().to_be_bytes()
}

impl OutputField for KeyText {
    fn show<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = Zeroizing::new(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(*self.0)));
        serializer.serialize_str(&text)
    }
}

impl fmt::Debug for KeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyText([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(key: &KeyText) -> String {
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(*key.0))
    }

    #[test]
    fn reads_back_what_it_hands_out() {
        let id = Id::new();
        let (key, other) = (KeyText::new(id), KeyText::new(id));
        assert_eq!(text(&key).len(), 74);
        let read = KeyText::parse(&text(&key)).unwrap();
        assert_eq!((read.id(), read.hash()), (id, key.hash()));
        assert_ne!(key.hash(), other.hash());
        assert!(text(&key).starts_with(&beginning(id)) && text(&other).starts_with(&beginning(id)));
        assert_eq!(format!("{key:?}"), "KeyText([redacted])");
    }

    #[test]
    fn has_the_checksum_that_a_scanner_counts() {
        // Counted with zlib's crc32 over `pak_`, sixteen bytes 01 and thirty-two bytes 02.
        let mut bytes = Zeroizing::new([1; LENGTH]);
        bytes[ID..SECRET].fill(2);
        assert_eq!(u32::from_be_bytes(checksum(&bytes)), 0x36aedd16);
    }

    #[test]
    fn refuses_every_changed_character_and_every_other_length() {
        let whole = text(&KeyText::new(Id::new()));
        for at in 0..whole.len() {
            for other in ['A', 'z', '7', '_', '-', '=', '+', '.'] {
                let changed = format!("{}{other}{}", &whole[..at], &whole[at + 1..]);
                let same = changed == whole;
                assert_eq!(KeyText::parse(&changed).is_some(), same, "{at} {other}");
            }
            assert!(KeyText::parse(&whole[..at]).is_none(), "{at}");
        }
        for bad in [
            format!("{whole}="),
            format!("{whole}A"),
            format!(" {whole}"),
            format!("{whole} "),
            whole.to_uppercase(),
            whole.replace("pak_", "PAK_"),
            whole.replace("pak_", "prt_"),
        ] {
            assert!(KeyText::parse(&bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn finds_a_key_wherever_it_stands_in_a_query() {
        let whole = text(&KeyText::new(Id::new()));
        for query in [
            format!("key={whole}"),
            format!("a=1&b={whole}&c=2"),
            whole.clone(),
            format!("{whole}=1"),
            format!("k=Bearer%20{whole}"),
            format!("k={}", whole.replace("pak_", "%70ak%5F")),
            format!("k=pak_pak_{}", &whole[4..]),
        ] {
            assert!(in_query(Some(&query)).is_some(), "{query}");
        }
        for query in [
            "",
            "key=pak_",
            "pak_=1",
            "q=pak_short",
            &format!("k={}", &whole[..73]),
        ] {
            assert!(in_query(Some(query)).is_none(), "{query}");
        }
        assert!(in_query(None).is_none());
    }
}
