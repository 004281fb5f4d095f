//! What a key must not be.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

/// Why a key was refused; never what it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WeakKey {
    /// Shorter than 32 bytes once decoded.
    #[error("is shorter than 32 bytes")]
    Short,
    /// Neither hexadecimal nor base64.
    #[error("is neither hexadecimal nor base64 of random bytes")]
    NotEncoded,
    /// Stands in a tutorial, a specification or this project, or holds a word that such keys hold.
    #[error("is well known, or holds a well-known word")]
    WellKnown,
    /// One piece over and over.
    #[error("repeats itself")]
    Repeated,
    /// Each byte follows from the last.
    #[error("is a sequence")]
    Sequential,
    /// Words or few different bytes: not what a random generator gives.
    #[error("is not random enough")]
    LowEntropy,
}

/// Words of keys that were meant to be replaced. Each has six letters or more, so that random base64 holds none by chance
/// (less than once in a million keys).
const WORDS: &[&str] = &[
    "changeme",
    "change-me",
    "change_me",
    "changethis",
    "change-this",
    "change_this",
    "replaceme",
    "replace-me",
    "replace_me",
    "secret",
    "password",
    "passw0rd",
    "letmein",
    "qwerty",
    "example",
    "default",
    "insecure",
    "keyboard",
    "placeholder",
    "palisade",
    "supersafe",
    "foobar",
    "abcdef",
    "123456",
];

/// Keys that anybody can look up: RFC 7515 A.1, RFC 7517 A.3, RFC 4231's and FIPS 197's patterns, and the ones that stand
/// in this project's own pages.
const PUBLISHED: &[&str] = &[
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ+EstJQLr/T+1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow==",
    "hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg",
    "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
    "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
    "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8",
];

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

/// The bytes of a key's text, when nothing speaks against them.
pub(super) fn strong(text: &str, minimum: usize) -> Result<Vec<u8>, WeakKey> {
    let lower = text.to_lowercase();
    if PUBLISHED.contains(&text) || PUBLISHED.contains(&lower.as_str()) {
        return Err(WeakKey::WellKnown);
    }
    let known_word = WORDS.iter().any(|word| lower.contains(word));
    let bytes = match decode(text) {
        // A hexadecimal key may hold `abcdef` or `123456` by chance.
        Some(bytes) if known_word && !is_hex(text) => return wipe(bytes, WeakKey::WellKnown),
        Some(bytes) => bytes,
        None if known_word => return Err(WeakKey::WellKnown),
        None if text.len() < minimum => return Err(WeakKey::Short),
        None => return Err(WeakKey::NotEncoded),
    };
    match weakness(&bytes, minimum) {
        Some(weak) => wipe(bytes, weak),
        None => Ok(bytes),
    }
}

fn wipe(mut bytes: Vec<u8>, weak: WeakKey) -> Result<Vec<u8>, WeakKey> {
    zeroize::Zeroize::zeroize(&mut bytes);
    Err(weak)
}

fn is_hex(text: &str) -> bool {
    text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn decode(text: &str) -> Option<Vec<u8>> {
    if is_hex(text) {
        return text
            .as_bytes()
            .chunks_exact(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
            .collect();
    }
    [&alphabet::URL_SAFE, &alphabet::STANDARD]
        .into_iter()
        .find_map(|letters| GeneralPurpose::new(letters, LENIENT).decode(text).ok())
}

/// What a random generator would not give in the life of the universe, but people do.
fn weakness(bytes: &[u8], minimum: usize) -> Option<WeakKey> {
    if bytes.len() < minimum {
        return Some(WeakKey::Short);
    }
    let repeats = |period: usize| bytes.iter().zip(&bytes[period..]).all(|(a, b)| a == b);
    if (1..=bytes.len() / 2).any(repeats) {
        return Some(WeakKey::Repeated);
    }
    let step = bytes[1].wrapping_sub(bytes[0]);
    let steps = bytes
        .windows(2)
        .filter(|pair| pair[1].wrapping_sub(pair[0]) == step);
    if steps.count() > bytes.len() / 2 {
        return Some(WeakKey::Sequential);
    }
    let different = bytes
        .iter()
        .collect::<std::collections::BTreeSet<_>>()
        .len();
    let readable = bytes.iter().all(|byte| (b' '..=b'~').contains(byte));
    (different < 16 || readable).then_some(WeakKey::LowEntropy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: WeakKey) {
        assert_eq!(strong(text, 32), Err(expected), "{text}");
    }

    #[test]
    fn refuses_what_is_short() {
        check("", WeakKey::Short);
        check("x7Kq", WeakKey::Short);
        check("9b74c9897bac770ffc029102a200c5de", WeakKey::Short);
        check("pv0MkdnVrXo4N3J2gGHvQ7mTzXyWbLcR", WeakKey::Short);
    }

    #[test]
    fn refuses_what_is_not_encoded() {
        check(
            "correct horse battery staple, and some more of it",
            WeakKey::NotEncoded,
        );
        check(
            "pv0MkdnVrXo4N3J2gGHvQ7mTzXyWbLcRpv0MkdnV!!!!",
            WeakKey::NotEncoded,
        );
    }

    #[test]
    fn refuses_what_is_well_known() {
        check("changeme", WeakKey::WellKnown);
        check("secret", WeakKey::WellKnown);
        check("your-256-bit-secret", WeakKey::WellKnown);
        check("django-insecure-8f3kq0d7v2m9s1x6", WeakKey::WellKnown);
        check(
            "ChangeMe0ChangeMe1ChangeMe2ChangeMe3ChangeM",
            WeakKey::WellKnown,
        );
        for key in PUBLISHED {
            check(key, WeakKey::WellKnown);
        }
    }

    #[test]
    fn refuses_what_repeats() {
        check(&"a".repeat(64), WeakKey::Repeated);
        check(
            &"00112233445566778899aabbccddeeff".repeat(2),
            WeakKey::Repeated,
        );
        check(&"0123456789abcdef".repeat(4), WeakKey::Repeated);
    }

    #[test]
    fn refuses_what_is_a_sequence() {
        let up: String = (7..39).map(|n| format!("{n:02x}")).collect();
        let down: String = (0..32).map(|n| format!("{:02x}", 255 - 3 * n)).collect();
        check(&up, WeakKey::Sequential);
        check(&down, WeakKey::Sequential);
    }

    #[test]
    fn refuses_words_behind_base64_and_few_different_bytes() {
        // "the quick brown fox jumps over the lazy dog"
        check(
            "dGhlIHF1aWNrIGJyb3duIGZveCBqdW1wcyBvdmVyIHRoZSBsYXp5IGRvZw==",
            WeakKey::LowEntropy,
        );
        check(
            "0709030005090207040501070304050902030405090207040009020704050902",
            WeakKey::LowEntropy,
        );
    }

    #[test]
    fn takes_random_bytes_in_every_usual_encoding() {
        for _ in 0..2_000 {
            let bytes: [u8; 32] = rand::random();
            let hex: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
            let standard = base64::engine::general_purpose::STANDARD.encode(bytes);
            let url = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes);
            for text in [&hex, &hex.to_lowercase(), &standard, &url] {
                assert_eq!(strong(text, 32).unwrap(), bytes, "{text}");
            }
        }
    }
}
