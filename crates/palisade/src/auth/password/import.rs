//! Hashes that other systems made: verified as they are, and made anew at the first sign-in.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use sha2::{Digest, Sha256};

use crate::secret::compare;

/// Rounds that a stored hash may ask for, so that a row cannot keep a processor busy for minutes.
const MOST_ROUNDS: u32 = 10_000_000;
const MOST_BCRYPT_COST: u32 = 16;
/// Memory that scrypt may ask for: 256 MiB.
const MOST_MEMORY: u64 = 256 * 1024 * 1024;

/// A hash of another system.
#[derive(Debug, PartialEq)]
pub(super) enum Imported {
    /// `$2a$`, `$2b$`, `$2x$`, `$2y$`; `prehashed` as Django's `bcrypt_sha256` does it.
    Bcrypt { hash: String, prehashed: bool },
    /// `pbkdf2_sha256$ROUNDS$SALT$HASH`, as Django writes it.
    Pbkdf2 {
        rounds: u32,
        salt: Vec<u8>,
        hash: Vec<u8>,
    },
    /// `$scrypt$ln=…,r=…,p=…$SALT$HASH` (PHC), or `scrypt$N$SALT$R$P$HASH` as Django writes it.
    Scrypt {
        params: Scrypt,
        salt: Vec<u8>,
        hash: Vec<u8>,
    },
}

#[derive(Debug, PartialEq)]
pub(super) struct Scrypt {
    log_n: u8,
    r: u32,
    p: u32,
}

impl Imported {
    /// Reads it, when it is one of these and within bounds.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (family, rest) = match text.strip_prefix('$') {
            Some(modular) => modular.split_once('$')?,
            None => text.split_once('$')?,
        };
        match (family, text.starts_with('$')) {
            ("2a" | "2b" | "2x" | "2y", true) => bcrypt(text, false),
            ("bcrypt", false) => bcrypt(rest, false),
            ("bcrypt_sha256", false) => bcrypt(rest, true),
            ("pbkdf2_sha256", false) => pbkdf2(rest),
            ("scrypt", true) => scrypt_phc(rest),
            ("scrypt", false) => scrypt_django(rest),
            _ => None,
        }
    }

    pub(super) fn verify(&self, password: &str) -> bool {
        match self {
            Self::Bcrypt { hash, prehashed } => {
                let digest = prehashed.then(|| {
                    let digest = Sha256::digest(password.as_bytes());
                    digest.iter().map(|byte| format!("{byte:02x}")).collect()
                });
                let password = digest.unwrap_or_else(|| password.to_owned());
                ::bcrypt::verify(password, hash).unwrap_or(false)
            }
            Self::Pbkdf2 { rounds, salt, hash } => {
                let mut made = vec![0; hash.len()];
                ::pbkdf2::pbkdf2_hmac::<Sha256>(password.as_bytes(), salt, *rounds, &mut made);
                compare::equal(made, hash)
            }
            Self::Scrypt { params, salt, hash } => {
                let Ok(params) = ::scrypt::Params::new(params.log_n, params.r, params.p) else {
                    return false;
                };
                let mut made = vec![0; hash.len()];
                let done = ::scrypt::scrypt(password.as_bytes(), salt, &params, &mut made);
                done.is_ok() && compare::equal(made, hash)
            }
        }
    }
}

fn bcrypt(text: &str, prehashed: bool) -> Option<Imported> {
    let parts: ::bcrypt::HashParts = text.parse().ok()?;
    (parts.get_cost() <= MOST_BCRYPT_COST).then(|| Imported::Bcrypt {
        hash: text.to_owned(),
        prehashed,
    })
}

fn pbkdf2(rest: &str) -> Option<Imported> {
    let [rounds, salt, hash] = parts(rest)?;
    let rounds = number(rounds).filter(|rounds| (1..=MOST_ROUNDS).contains(rounds))?;
    let hash = STANDARD.decode(hash).ok().filter(|hash| fits(hash))?;
    let salt = salt.as_bytes().to_vec();
    Some(Imported::Pbkdf2 { rounds, salt, hash })
}

fn scrypt_phc(rest: &str) -> Option<Imported> {
    let [params, salt, hash] = parts(rest)?;
    let (mut log_n, mut r, mut p) = (None, None, None);
    for param in params.split(',') {
        let (name, value) = param.split_once('=')?;
        let slot = match name {
            "ln" => &mut log_n,
            "r" => &mut r,
            "p" => &mut p,
            _ => return None,
        };
        *slot = Some(number(value)?);
    }
    let decode = |text| STANDARD_NO_PAD.decode(text).ok();
    scrypt(log_n?, r?, p?, decode(salt)?, decode(hash)?)
}

fn scrypt_django(rest: &str) -> Option<Imported> {
    let [n, salt, r, p, hash] = parts(rest)?;
    let n = number(n).filter(|n| n.is_power_of_two())?;
    let hash = STANDARD.decode(hash).ok()?;
    let salt = salt.as_bytes().to_vec();
    scrypt(n.trailing_zeros(), number(r)?, number(p)?, salt, hash)
}

fn scrypt(log_n: u32, r: u32, p: u32, salt: Vec<u8>, hash: Vec<u8>) -> Option<Imported> {
    let log_n = u8::try_from(log_n)
        .ok()
        .filter(|log_n| (1..=20).contains(log_n))?;
    let memory = 128_u64.checked_mul(r.into())?.checked_mul(1 << log_n)?;
    let bounded = memory <= MOST_MEMORY && (1..=16).contains(&p) && r > 0;
    let params = Scrypt { log_n, r, p };
    (bounded && fits(&hash)).then_some(Imported::Scrypt { params, salt, hash })
}

fn parts<const N: usize>(text: &str) -> Option<[&str; N]> {
    let parts: Vec<&str> = text.split('$').collect();
    parts.try_into().ok()
}

fn number(text: &str) -> Option<u32> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

/// A hash that is too short would be right by chance.
fn fits(hash: &[u8]) -> bool {
    (20..=64).contains(&hash.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    // Made by glibc's crypt and Python's hashlib.
    const OLD: [&str; 4] = [
        "$2b$05$abcdefghijklmnopqrstuu3JgwjVpvICm0WBx/KCD2Txrbr.XoE5m",
        "pbkdf2_sha256$1000$seasalt12$sEv+vb0DIdWblyoIVe3oQnU1kmVeDV8nYywPw47i4Wc=",
        "scrypt$16384$seasalt12$8$1$P4WzOQUaV0pK7MibsKR4tLrqXF8CEloi0bkK+ELJzCKUlFXuw0rrkXOHcfnHNUcamGEcf94HeATWB2pbjc3aHQ==",
        "$scrypt$ln=14,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$KqUPek54h8LDhs8AjmZQps8Rmwg7Tyyyu2YCbjPhKDQ",
    ];

    #[test]
    fn verifies_what_other_systems_hashed() {
        for old in OLD {
            let imported = Imported::read(old).unwrap_or_else(|| panic!("not read: {old}"));
            assert!(imported.verify("an old password"), "{old}");
            for wrong in ["an old passwore", "", "an old password "] {
                assert!(!imported.verify(wrong), "{old}");
            }
        }
        let django = format!("bcrypt${}", OLD[0]);
        assert!(Imported::read(&django).is_some_and(|read| read.verify("an old password")));
    }

    #[test]
    fn does_not_read_what_is_malformed_or_out_of_bounds() {
        for bad in [
            "",
            "!",
            "$",
            "plain text",
            "pbkdf2_sha1$1000$seasalt12$EMzKEy7Np2fO42bCaWQIeu3lCjk=",
            "pbkdf2_sha256$0$salt$sEv+vb0DIdWblyoIVe3oQnU1kmVeDV8nYywPw47i4Wc=",
            "pbkdf2_sha256$99999999999$salt$sEv+vb0DIdWblyoIVe3oQnU1kmVeDV8nYywPw47i4Wc=",
            "pbkdf2_sha256$-1$salt$sEv+vb0DIdWblyoIVe3oQnU1kmVeDV8nYywPw47i4Wc=",
            "pbkdf2_sha256$1000$salt$",
            "pbkdf2_sha256$1000$salt$AAAA",
            "$2b$31$abcdefghijklmnopqrstuu3JgwjVpvICm0WBx/KCD2Txrbr.XoE5m",
            "$2b$05$abc",
            "$scrypt$ln=30,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$KqUPek54h8LDhs8AjmZQps8Rmwg7Tyyyu2YCbjPhKDQ",
            "$scrypt$ln=14,r=8$MDEyMzQ1Njc4OWFiY2RlZg$KqUPek54h8LDhs8AjmZQps8Rmwg7Tyyyu2YCbjPhKDQ",
            "scrypt$16383$seasalt12$8$1$P4WzOQUaV0pK7MibsKR4tLrqXF8CEloi0bkK+ELJzCI=",
            "scrypt$1048576$seasalt12$4096$1$P4WzOQUaV0pK7MibsKR4tLrqXF8CEloi0bkK+ELJzCI=",
            "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNo",
        ] {
            assert_eq!(Imported::read(bad), None, "{bad}");
        }
    }
}
