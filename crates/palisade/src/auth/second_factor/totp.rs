//! Codes of authenticator apps: TOTP (RFC 6238) over HOTP (RFC 4226).

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use zeroize::Zeroizing;

use super::base32;
use crate::input::{Field, Node, Reader, Text};
use crate::output::OutputField;
use crate::secret::compare;

const SECRET: usize = 20;
const DIGITS: usize = 6;
const PERIOD: i64 = 30;
/// Steps that the clocks may differ, each way (RFC 6238, section 5.2: at most one for the time on the way, and ours is for both).
const DRIFT: i64 = 1;

/// What an account and its authenticator app share: 160 random bits, as RFC 4226, section 4, recommends.
///
/// # Security
/// SHA-1, six digits and thirty seconds are what every authenticator app reads; many ignore that the URI asks for more, and show wrong codes.
/// Nothing known of SHA-1 weakens its HMAC (RFC 6194, section 3.3); what is weak is six digits, so tries are counted.
pub(in crate::auth) struct SharedSecret(Zeroizing<[u8; SECRET]>);

/// A code as it was typed: six digits, blanks among them ignored.
pub(in crate::auth) struct Code(Zeroizing<[u8; DIGITS]>);

/// What a code is worth now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::auth) enum Verdict {
    /// It is the code of this step, and none of this step or a later one was taken before.
    Right(i64),
    /// It was right, and was taken before, or one after it was.
    Reused,
    Wrong,
}

impl SharedSecret {
    pub(in crate::auth) fn generate() -> Self {
        Self(Zeroizing::new(rand::random()))
    }

    pub(in crate::auth) fn of(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Zeroizing::new).map(Self)
    }

    pub(in crate::auth) fn expose(&self) -> &[u8] {
        &*self.0
    }

    /// What an authenticator app reads from a picture.
    pub(in crate::auth) fn uri(&self, issuer: &str, account: &str) -> Zeroizing<String> {
        let secret = base32::encode(&*self.0, base32::RFC_4648);
        let (issuer, account) = (escaped(issuer), escaped(account));
        let secret = secret.as_str();
        Zeroizing::new(format!(
            "otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits={DIGITS}&period={PERIOD}"
        ))
    }

    /// What this code is worth at this time (Unix, in seconds), when the code of step `last` was the last one that was taken.
    ///
    /// The time that it takes depends on none of them.
    pub(in crate::auth) fn verdict(&self, code: &Code, now: i64, last: i64) -> Verdict {
        let step = now.div_euclid(PERIOD);
        let mut verdict = Verdict::Wrong;
        for step in step - DRIFT..=step + DRIFT {
            // No early end: each of them is made and compared.
            let same = compare::equal(*self.code(step), *code.0);
            verdict = match (same, verdict) {
                (false, verdict) | (_, verdict @ Verdict::Right(_)) => verdict,
                (true, _) if step > last => Verdict::Right(step),
                (true, _) => Verdict::Reused,
            };
        }
        verdict
    }

    /// HOTP: the code of one step (RFC 4226, section 5.3).
    fn code(&self, step: i64) -> Zeroizing<[u8; DIGITS]> {
        let mut mac =
            Hmac::<Sha1>::new_from_slice(&*self.0).expect("HMAC takes a key of any length");
        mac.update(&step.to_be_bytes());
        let mac = mac.finalize().into_bytes();
        let at = usize::from(mac[mac.len() - 1] & 15);
        let mut number = u32::from_be_bytes([mac[at] & 127, mac[at + 1], mac[at + 2], mac[at + 3]]);
        let mut code = Zeroizing::new([0; DIGITS]);
        for digit in code.iter_mut().rev() {
            *digit = b'0' + (number % 10) as u8;
            number /= 10;
        }
        code
    }
}

/// As it may stand in a part of a URI: everything but letters, digits and `-._~` as `%XX` (RFC 3986, section 2.3).
fn escaped(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}

impl Code {
    fn parse(text: &str) -> Option<Self> {
        let mut code = Zeroizing::new([0; DIGITS]);
        let mut digits = text.bytes().filter(|byte| *byte != b' ');
        for place in code.iter_mut() {
            *place = digits.next().filter(u8::is_ascii_digit)?;
        }
        digits.next().is_none().then_some(Self(code))
    }
}

impl Field for Code {
    fn read(node: Node, reader: &mut Reader) -> Option<Self> {
        let text = Zeroizing::new(Text::<1, 20>::read(node, reader)?.into_string());
        match Self::parse(&text) {
            Some(code) => Some(code),
            None => reader.refuse("not_a_code", "must be six digits"),
        }
    }
}

/// As base 32, for who types it.
impl OutputField for SharedSecret {
    fn show<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&base32::encode(&*self.0, base32::RFC_4648))
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedSecret([redacted])")
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> SharedSecret {
        SharedSecret::of(b"12345678901234567890").unwrap()
    }

    fn code(text: &str) -> Code {
        Code::parse(text).unwrap()
    }

    #[test]
    fn makes_the_codes_of_rfc_4226_appendix_d() {
        let codes = [
            "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583",
            "399871", "520489",
        ];
        for (step, expected) in (0..).zip(codes) {
            assert_eq!(*secret().code(step), *code(expected).0, "step {step}");
        }
    }

    #[test]
    fn takes_the_codes_of_rfc_6238_appendix_b_at_their_times() {
        // Of the eight digits there, the last six.
        let codes = [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ];
        for (time, text) in codes {
            let verdict = secret().verdict(&code(text), time, 0);
            assert_eq!(verdict, Verdict::Right(time / 30), "at {time}");
        }
    }

    #[test]
    fn takes_a_code_one_step_early_and_one_late_and_no_further() {
        // The code of the step from 1,111,111,080 to 1,111,111,109.
        let (secret, code) = (secret(), code("081804"));
        let step = 1_111_111_080 / 30;
        for (time, right) in [
            (1_111_111_080 - 31, false),
            (1_111_111_080 - 30, true),
            (1_111_111_080 + 59, true),
            (1_111_111_080 + 60, false),
        ] {
            let expected = if right {
                Verdict::Right(step)
            } else {
                Verdict::Wrong
            };
            assert_eq!(secret.verdict(&code, time, 0), expected, "at {time}");
        }
    }

    #[test]
    fn takes_no_code_twice_and_none_before_the_last() {
        let (secret, step) = (secret(), 1_111_111_080 / 30);
        let verdict = |text: &str, last| secret.verdict(&code(text), 1_111_111_100, last);
        assert_eq!(verdict("081804", step - 1), Verdict::Right(step));
        assert_eq!(verdict("081804", step), Verdict::Reused);
        assert_eq!(verdict("081804", step + 1), Verdict::Reused);
        assert_eq!(verdict("050471", step), Verdict::Right(step + 1));
        assert_eq!(verdict("081805", step), Verdict::Wrong);
    }

    #[test]
    fn reads_six_digits_with_blanks_and_nothing_else() {
        assert_eq!(*code("081 804").0, *b"081804");
        for wrong in [
            "",
            "08180",
            "0818041",
            "08180a",
            "-81804",
            "081804\n",
            "٠٨١٨٠٤",
        ] {
            assert!(Code::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn tells_authenticator_apps_who_and_what() {
        assert_eq!(
            *secret().uri("Notes & Co: Ü", "ann+x@example.org"),
            "otpauth://totp/Notes%20%26%20Co%3A%20%C3%9C:ann%2Bx%40example.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=Notes%20%26%20Co%3A%20%C3%9C&algorithm=SHA1&digits=6&period=30"
        );
    }
}
