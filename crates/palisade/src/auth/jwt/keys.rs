//! The keys that sign access tokens, derived from the app's one secret key.

use std::cmp::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, crypto};
use zeroize::Zeroizing;

use super::TokenError;
use crate::config::TokenAlgorithm;
use crate::secret::key::Key;
use palisade_macros::output;

/// What stands before the 32 bytes of an Ed25519 key in PKCS#8 (RFC 8410).
const ED25519: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];
/// The same for P-256 (RFC 5915 in RFC 5958), without the public key, which follows from the private one.
const P256: [u8; 35] = [
    0x30, 0x41, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
    0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x04, 0x27, 0x30, 0x25, 0x02, 0x01,
    0x01, 0x04, 0x20,
];
/// The order of P-256, and its half.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];
const HALF: [u8; 32] = [
    0x7f, 0xff, 0xff, 0xff, 0x80, 0x00, 0x00, 0x00, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xde, 0x73, 0x7d, 0x56, 0xd3, 0x8b, 0xcf, 0x42, 0x79, 0xdc, 0xe5, 0x61, 0x7e, 0x31, 0x92, 0xa8,
];

/// The public part of a key, as a JWK (RFC 7517, RFC 8037).
#[output(tag = "kty")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::auth) enum PublicKey {
    /// Ed25519.
    #[output(rename = "OKP")]
    Ed25519 {
        /// The curve's name.
        crv: &'static str,
        /// The key.
        x: String,
        /// What the header of a token calls it.
        kid: String,
        /// The algorithm that it is for.
        alg: &'static str,
        /// What it is for: signatures.
        #[output(rename = "use")]
        purpose: &'static str,
    },
    /// P-256.
    #[output(rename = "EC")]
    P256 {
        /// The curve's name.
        crv: &'static str,
        /// The key's first coordinate.
        x: String,
        /// Its second one.
        y: String,
        /// What the header of a token calls it.
        kid: String,
        /// The algorithm that it is for.
        alg: &'static str,
        /// What it is for: signatures.
        #[output(rename = "use")]
        purpose: &'static str,
    },
}

pub(super) struct SigningKey {
    /// The encoded header of every token that it signs.
    pub(super) header: String,
    pub(super) decoding: DecodingKey,
    pub(super) public: Option<PublicKey>,
    algorithm: TokenAlgorithm,
    encoding: EncodingKey,
}

pub(super) const fn algorithm(algorithm: TokenAlgorithm) -> Algorithm {
    match algorithm {
        TokenAlgorithm::EdDsa => Algorithm::EdDSA,
        TokenAlgorithm::Es256 => Algorithm::ES256,
        TokenAlgorithm::Hs256 => Algorithm::HS256,
    }
}

impl SigningKey {
    /// Each algorithm has a purpose of its own, so no key is ever used for two.
    pub(super) fn derive(algorithm: TokenAlgorithm, root: &Key) -> Result<Self, TokenError> {
        let key = match algorithm {
            TokenAlgorithm::EdDsa => root.derive("access tokens EdDSA"),
            TokenAlgorithm::Es256 => root.derive("access tokens ES256"),
            TokenAlgorithm::Hs256 => root.derive("access tokens"),
        };
        let kid: String = key.sign(b"kid")[..8]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let alg = algorithm.name();
        let header = format!(r#"{{"typ":"at+jwt","alg":"{alg}","kid":"{kid}"}}"#);
        let encoding = match algorithm {
            TokenAlgorithm::EdDsa => EncodingKey::from_ed_der(&pkcs8(&ED25519, &key)),
            TokenAlgorithm::Es256 => EncodingKey::from_ec_der(&pkcs8(&P256, &key)),
            TokenAlgorithm::Hs256 => EncodingKey::from_secret(key.expose()),
        };
        let jwk = Jwk::from_encoding_key(&encoding, self::algorithm(algorithm));
        let jwk = jwk.map_err(|_| TokenError::Key)?;
        Ok(Self {
            header: URL_SAFE_NO_PAD.encode(header),
            decoding: DecodingKey::from_jwk(&jwk).map_err(|_| TokenError::Key)?,
            public: public(jwk, kid, alg),
            algorithm,
            encoding,
        })
    }

    /// The whole token with these encoded claims.
    pub(super) fn sign(&self, claims: &str) -> Result<String, TokenError> {
        let message = format!("{}.{claims}", self.header);
        let algorithm = algorithm(self.algorithm);
        let signature = crypto::sign(message.as_bytes(), &self.encoding, algorithm);
        let signature = signature.map_err(|_| TokenError::Key)?;
        Ok(match self.algorithm {
            TokenAlgorithm::Es256 => format!("{message}.{}", low(&signature)?),
            _ => format!("{message}.{signature}"),
        })
    }

    /// An ECDSA signature has a twin that is as good: with one of them refused, a token has one spelling.
    pub(super) fn is_canonical(&self, signature: &str) -> bool {
        self.algorithm != TokenAlgorithm::Es256
            || URL_SAFE_NO_PAD.decode(signature).is_ok_and(|signature| {
                signature.len() == 64 && signature[32..].cmp(&HALF) != Ordering::Greater
            })
    }
}

fn pkcs8(head: &[u8], key: &Key) -> Zeroizing<Vec<u8>> {
    Zeroizing::new([head, key.expose()].concat())
}

fn public(jwk: Jwk, kid: String, alg: &'static str) -> Option<PublicKey> {
    let purpose = "sig";
    match jwk.algorithm {
        AlgorithmParameters::OctetKeyPair(key) => Some(PublicKey::Ed25519 {
            crv: "Ed25519",
            x: key.x,
            kid,
            alg,
            purpose,
        }),
        AlgorithmParameters::EllipticCurve(key) => Some(PublicKey::P256 {
            crv: "P-256",
            x: key.x,
            y: key.y,
            kid,
            alg,
            purpose,
        }),
        _ => None,
    }
}

/// The twin of an ECDSA signature whose second number is not above half the order.
fn low(signature: &str) -> Result<String, TokenError> {
    let mut bytes = URL_SAFE_NO_PAD
        .decode(signature)
        .map_err(|_| TokenError::Key)?;
    if bytes.len() != 64 {
        return Err(TokenError::Key);
    }
    if bytes[32..].cmp(&HALF) == Ordering::Greater {
        let mut borrow = false;
        for at in (0..32).rev() {
            let (less, one) = ORDER[at].overflowing_sub(bytes[32 + at]);
            let (less, two) = less.overflowing_sub(borrow.into());
            bytes[32 + at] = less;
            borrow = one || two;
        }
    }
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
