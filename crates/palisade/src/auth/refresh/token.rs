//! What a refresh token is made of: its family, its place in it, a secret, and a seal.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::Family;
use crate::access::Id;
use crate::auth::presented::Presented;
use crate::output::OutputField;
use crate::secret::compare;
use crate::secret::key::Key;

/// What secret scanners can look for: `prt_[A-Za-z0-9_-]{91}`.
const PREFIX: &str = "prt_";
const FAMILY: usize = 16;
const GENERATION: usize = FAMILY + 4;
const SECRET: usize = GENERATION + 32;
const LENGTH: usize = SECRET + 16;

type Bytes = Zeroizing<[u8; LENGTH]>;

/// A refresh token; printed nowhere but in the answer that hands it out.
#[derive(Clone)]
pub(in crate::auth) struct RefreshToken(Bytes);

impl OutputField for RefreshToken {
    fn show<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = Zeroizing::new(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(*self.0)));
        serializer.serialize_str(&text)
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken([redacted])")
    }
}

impl RefreshToken {
    pub(super) fn parse(presented: &Presented) -> Option<Self> {
        let text = presented.expose().strip_prefix(PREFIX)?;
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(text).ok()?);
        let bytes: [u8; LENGTH] = bytes.as_slice().try_into().ok()?;
        Some(Self(Zeroizing::new(bytes)))
    }

    pub(super) fn family(&self) -> Id<Family> {
        let mut id = [0; FAMILY];
        id.copy_from_slice(&self.0[..FAMILY]);
        Id::from_uuid(Uuid::from_bytes(id))
    }

    /// How many came before it in its family.
    pub(super) fn generation(&self) -> u32 {
        let mut number = [0; 4];
        number.copy_from_slice(&self.0[FAMILY..GENERATION]);
        u32::from_be_bytes(number)
    }

    /// What is kept of it.
    pub(super) fn hash(&self) -> [u8; 32] {
        Sha256::digest(*self.0).into()
    }
}

/// Makes tokens of one secret key of the app, and knows them again.
#[derive(Debug)]
pub(super) struct Sealer {
    seal: Key,
    next: Key,
}

impl Sealer {
    pub(super) fn new(root: &Key) -> Self {
        Self {
            seal: root.derive("refresh token seals"),
            next: root.derive("refresh token successors"),
        }
    }

    /// The first token of a family: its secret is random.
    pub(super) fn begin(&self, family: Id<Family>) -> RefreshToken {
        self.made(family, 0, &Zeroizing::new(rand::random()))
    }

    /// The token that follows this one: whoever asks twice gets the same one twice, and nobody can make it without the key.
    pub(super) fn next(&self, token: &RefreshToken) -> RefreshToken {
        let secret = Zeroizing::new(self.next.sign(&*token.0));
        self.made(
            token.family(),
            token.generation().saturating_add(1),
            &secret,
        )
    }

    /// Whether it was made with this key.
    pub(super) fn sealed(&self, token: &RefreshToken) -> bool {
        compare::equal(
            &self.seal.sign(&token.0[..SECRET])[..16],
            &token.0[SECRET..],
        )
    }

    fn made(&self, family: Id<Family>, generation: u32, secret: &[u8; 32]) -> RefreshToken {
        let mut bytes = Zeroizing::new([0; LENGTH]);
        bytes[..FAMILY].copy_from_slice(family.uuid().as_bytes());
        bytes[FAMILY..GENERATION].copy_from_slice(&generation.to_be_bytes());
        bytes[GENERATION..SECRET].copy_from_slice(secret);
        let seal = self.seal.sign(&bytes[..SECRET]);
        bytes[SECRET..].copy_from_slice(&seal[..16]);
        RefreshToken(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(token: &RefreshToken) -> String {
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(*token.0))
    }

    fn parse(text: &str) -> Option<RefreshToken> {
        RefreshToken::parse(&Presented::of(text))
    }

    #[test]
    fn reads_back_what_it_hands_out() {
        let sealer = Sealer::new(&Key::generate());
        let family = Id::new();
        let first = sealer.begin(family);
        let second = sealer.next(&first);
        assert_eq!(text(&first).len(), 95);
        for (token, generation) in [(&first, 0), (&second, 1)] {
            let read = parse(&text(token)).unwrap();
            assert_eq!((read.family(), read.generation()), (family, generation));
            assert_eq!(read.hash(), token.hash());
            assert!(sealer.sealed(&read) && !format!("{read:?}").contains(&text(token)[60..]));
        }
        assert_eq!(
            text(&second),
            text(&sealer.next(&first)),
            "asked twice, the same"
        );
        let other = Sealer::new(&Key::generate());
        assert!(!other.sealed(&first));
        assert_ne!(other.next(&first).hash(), second.hash());
    }

    #[test]
    fn knows_its_own_from_every_changed_one() {
        let sealer = Sealer::new(&Key::generate());
        let token = sealer.begin(Id::new());
        for at in 0..LENGTH {
            let mut changed = token.clone();
            changed.0[at] ^= 1;
            assert!(!sealer.sealed(&changed), "byte {at}");
        }
        let whole = text(&token);
        for bad in [
            "",
            "prt_",
            &whole[4..],
            &whole[..whole.len() - 1],
            &format!("{whole}="),
            &format!("{whole}A"),
            &whole.replace("prt_", "PRT_"),
            &format!(" {whole}"),
        ] {
            assert!(parse(bad).is_none(), "{bad}");
        }
    }
}
