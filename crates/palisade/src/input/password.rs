//! A password on its way to the hash.

use std::fmt;

use super::field::{Field, text};
use super::node::Node;
use super::reader::Reader;
use crate::secret::Secret;

/// A password of 8 to 256 characters of any kind; never printed, never stored, never compared.
///
/// # Security
/// It has no `Display`, `Serialize`, `PartialEq` or binding; the only way on is [`expose`](Self::expose), to the hash.
/// The length follows NIST SP 800-63B-4, section 3.1.1; there are no composition rules.
pub struct Password(Secret<String>);

impl Password {
    /// Characters at least.
    pub const MIN: usize = 8;
    /// Characters at most.
    pub const MAX: usize = 256;

    /// Checks the length.
    ///
    /// # Errors
    /// When it is too short or too long.
    pub fn parse(text: impl Into<String>) -> Result<Self, super::Broken> {
        let text = Secret::new(text.into());
        match text.expose().chars().count() {
            length if length < Self::MIN => Err(super::Broken::new(
                "too_short",
                "must have at least 8 characters",
            )),
            length if length > Self::MAX => Err(super::Broken::new(
                "too_long",
                "must have at most 256 characters",
            )),
            _ => Ok(Self(text)),
        }
    }

    /// What was typed, for the hash alone.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password([redacted])")
    }
}

// Holds for no right side: it is here for its message. The bound is on the right side, as with secrets, so that the operator is
// found and what is reported is the bound.
impl<U> PartialEq<U> for Password
where
    Kept<U>: Alike,
{
    fn eq(&self, _: &U) -> bool {
        false
    }
}

/// Holds for no type: a password is verified, never compared.
#[diagnostic::on_unimplemented(
    message = "P0605: a password is not compared with `==`",
    label = "what is kept of a password is a hash with a salt of its own, and no two of them are alike",
    note = "verify it: `passwords.verify(typed, Some(hash))` of `palisade::auth::Passwords`",
    note = "`palisade explain P0605` tells why"
)]
#[doc(hidden)]
pub trait Alike {}

/// The right side of a comparison.
#[doc(hidden)]
pub struct Kept<U>(std::marker::PhantomData<U>);

// Two types that nobody has, so that the bound stays open until the right side is known.
#[diagnostic::do_not_recommend]
impl Alike for Kept<sealed::NoType> {}
#[diagnostic::do_not_recommend]
impl Alike for Kept<sealed::NoOtherType> {}

mod sealed {
    pub enum NoType {}
    pub enum NoOtherType {}
}

impl Field for Password {
    fn read(node: Node, reader: &mut Reader) -> Option<Self> {
        match Self::parse(text(node, reader)?) {
            Ok(password) => Some(password),
            Err(broken) => reader.refuse(broken.code, broken.detail),
        }
    }
}
