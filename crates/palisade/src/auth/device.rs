//! Devices that somebody signed in from before: their tries are counted apart, so that nobody else can lock them out.
//!
//! Follows OWASP's "Slow Down Online Guessing Attacks with Device Cookies". Clients without cookies carry the token in the body of a
//! sign-in, browsers the same token in a cookie.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::presented::Presented;
use crate::config::Config;
use crate::output::OutputField;
use crate::secret::compare;
use crate::secret::key::Key;

const PREFIX: &str = "pdt_";
const NUMBER: usize = 16;
const MADE: usize = NUMBER + 8;
const LENGTH: usize = MADE + 32;
/// Half a year without a sign-in makes a device unknown.
pub(super) const LIFETIME: i64 = 180 * 86_400;

/// Knows devices again.
#[derive(Debug, Clone)]
pub(super) struct Devices {
    keys: Vec<Key>,
}

/// A device that was signed in from before, to this very account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Device(pub(super) [u8; NUMBER]);

/// What a device proves itself by.
///
/// # Security
/// It opens nothing: it lets the owner of an account try a password while others are locked out, as often as anybody may.
pub(super) struct DeviceToken(Zeroizing<[u8; LENGTH]>);

impl DeviceToken {
    /// The token as its device carries it.
    pub(super) fn expose(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(*self.0)))
    }
}

impl OutputField for DeviceToken {
    fn show<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.expose())
    }
}

impl fmt::Debug for DeviceToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceToken([redacted])")
    }
}

impl Devices {
    pub(super) fn new(config: &Config) -> Self {
        let keys = std::iter::once(&config.secret_key).chain(&config.secret_key_previous);
        Self {
            keys: keys.map(|key| key.derive("known devices")).collect(),
        }
    }

    /// The device of this token, when it was made for this account and not too long ago.
    pub(super) fn known(&self, presented: &Presented, email: &str) -> Option<Device> {
        let text = presented.expose().strip_prefix(PREFIX)?;
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let bytes: [u8; LENGTH] = bytes.try_into().ok()?;
        let (head, seal) = bytes.split_at(MADE);
        let ours = |key: &Key| compare::equal(sealed(key, head, email), seal);
        let made = i64::from_be_bytes(head[NUMBER..].try_into().ok()?);
        let age = OffsetDateTime::now_utc()
            .unix_timestamp()
            .checked_sub(made)?;
        let mut number = [0; NUMBER];
        number.copy_from_slice(&head[..NUMBER]);
        (self.keys.iter().any(ours) && (0..LIFETIME).contains(&age)).then_some(Device(number))
    }

    /// A token for the device that just signed in to this account: the same device, or a new one.
    pub(super) fn remember(&self, device: Option<Device>, email: &str) -> DeviceToken {
        let Device(number) = device.unwrap_or_else(|| Device(rand::random()));
        let mut bytes = Zeroizing::new([0; LENGTH]);
        let now = OffsetDateTime::now_utc().unix_timestamp();
        bytes[..NUMBER].copy_from_slice(&number);
        bytes[NUMBER..MADE].copy_from_slice(&now.to_be_bytes());
        // There is always the current key.
        let seal = sealed(&self.keys[0], &bytes[..MADE], email);
        bytes[MADE..].copy_from_slice(&seal);
        DeviceToken(bytes)
    }
}

fn sealed(key: &Key, head: &[u8], email: &str) -> [u8; 32] {
    // The head has a fixed length, so the two cannot run into each other.
    key.sign(&[head, email.as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(token: &DeviceToken) -> String {
        token.expose().to_string()
    }

    #[test]
    fn knows_a_device_again_for_its_own_account_and_a_while() {
        let (old, new) = (Key::generate(), Key::generate());
        let before = Devices {
            keys: vec![old.clone()],
        };
        let after = Devices {
            keys: vec![new, old],
        };
        let token = before.remember(None, "ann@example.org");
        let known = |devices: &Devices, text: &str, email: &str| {
            devices
                .known(&Presented::of(text), email)
                .map(|device| device.0)
        };
        let number = known(&before, &text(&token), "ann@example.org");
        assert!(number.is_some());
        assert_eq!(
            known(&after, &text(&token), "ann@example.org"),
            number,
            "through a rotation"
        );
        assert_eq!(known(&before, &text(&token), "bob@example.org"), None);
        let again = after.remember(number.map(Device), "ann@example.org");
        assert_eq!(known(&after, &text(&again), "ann@example.org"), number);
        assert_eq!(
            known(&before, &text(&again), "ann@example.org"),
            None,
            "another key"
        );

        for at in 0..LENGTH {
            let mut changed = token.0.clone();
            changed[at] ^= 1;
            let changed = text(&DeviceToken(changed));
            assert_eq!(
                known(&before, &changed, "ann@example.org"),
                None,
                "byte {at}"
            );
        }
        for bad in ["", "pdt_", "pdt_AAAA", &text(&token)[4..]] {
            assert_eq!(known(&before, bad, "ann@example.org"), None);
        }
        let mut head = token.0[..MADE].to_vec();
        let long_ago = OffsetDateTime::now_utc().unix_timestamp() - LIFETIME - 1;
        head[NUMBER..].copy_from_slice(&long_ago.to_be_bytes());
        let seal = sealed(&before.keys[0], &head, "ann@example.org");
        let mut aged = Zeroizing::new([0; LENGTH]);
        aged.copy_from_slice(&[&head[..], &seal].concat());
        assert_eq!(
            known(&before, &text(&DeviceToken(aged)), "ann@example.org"),
            None
        );
    }
}
