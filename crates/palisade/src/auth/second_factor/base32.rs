//! Base 32, in the alphabet of the reader: RFC 4648's for authenticator apps, Crockford's for people.

use zeroize::Zeroizing;

pub(super) const RFC_4648: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// Without I, L, O and U.
pub(super) const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Eight characters for each five bytes; our secrets are multiples of five.
pub(super) fn encode(bytes: &[u8], alphabet: &[u8; 32]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(bytes.len() / 5 * 8));
    for chunk in bytes.chunks_exact(5) {
        let number = chunk
            .iter()
            .fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        for place in (0..8).rev() {
            text.push(char::from(alphabet[(number >> (5 * place) & 31) as usize]));
        }
    }
    text
}

/// What somebody typed from a sheet of paper: in any case, with blanks and hyphens, O for 0, I and L for 1.
pub(super) fn decode_typed<const N: usize>(text: &str) -> Option<Zeroizing<[u8; N]>> {
    let mut bytes = Zeroizing::new([0; N]);
    let (mut sum, mut bits, mut at) = (0_u16, 0_u32, 0);
    for character in text.chars().filter(|c| !matches!(c, ' ' | '-')) {
        let value = match character.to_ascii_uppercase() {
            'O' => 0,
            'I' | 'L' => 1,
            c => CROCKFORD.iter().position(|own| char::from(*own) == c)?,
        };
        sum = sum << 5 | value as u16;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            *bytes.get_mut(at)? = (sum >> bits) as u8;
            at += 1;
        }
    }
    (at == N && bits == 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_as_rfc_4648_says() {
        assert_eq!(*encode(b"fooba", RFC_4648), "MZXW6YTB");
        assert_eq!(
            *encode(b"12345678901234567890", RFC_4648),
            "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
        );
    }

    #[test]
    fn reads_back_what_people_type() {
        let bytes: [u8; 15] = *b"\x00\x11some bytes..\xff";
        let text = encode(&bytes, CROCKFORD);
        assert_eq!(decode_typed::<15>(&text).as_deref(), Some(&bytes));
        let typed = text.to_lowercase().replace('0', "o").replace('1', "l");
        let grouped = format!("{} {}-{}", &typed[..4], &typed[4..20], &typed[20..]);
        assert_eq!(decode_typed::<15>(&grouped).as_deref(), Some(&bytes));
        for wrong in [
            "",
            &text[1..],
            &format!("{}0", *text),
            &text.replace('0', "U"),
            &text.replace('0', "é"),
        ] {
            assert!(decode_typed::<15>(wrong).is_none(), "{wrong}");
        }
    }
}
