//! What nobody may see: values without a text form, keys, tokens, and how to compare them.

pub mod compare;
pub mod key;
pub mod token;

use std::fmt;

use secrecy::{ExposeSecret, SecretBox};
use serde::{Serialize, Serializer};
use zeroize::Zeroize;

/// A value that cannot be printed, logged, serialized or compared, and is wiped when dropped.
///
/// [`expose`](Secret::expose) is the only way in, so that a search for `expose()` finds every place where a secret is read.
///
/// # Security
/// Formatting, serializing and `==` do not compile; `{:?}` says `[redacted]`. The memory is overwritten on drop, as far as
/// the value does it: a copy that you made of what `expose` lent is yours to care for, and a `String` that grew before it
/// came here may have left pieces behind.
///
/// # Example
/// ```
/// use palisade::secret::Secret;
/// let password = Secret::new(String::from("correct horse"));
/// assert_eq!(format!("{password:?}"), "[redacted]");
/// assert_eq!(password.expose().len(), 13);
/// ```
pub struct Secret<T: Wipe>(SecretBox<Wiped<T>>);

impl<T: Wipe> Secret<T> {
    /// Takes the value into custody.
    pub fn new(value: T) -> Self {
        Self(SecretBox::new(Box::new(Wiped(value))))
    }

    /// Lends the value: the one way in.
    ///
    /// # Security
    /// What you do with it is your promise: do not log it, do not put it into an error, do not send it back.
    pub fn expose(&self) -> &T {
        &self.0.expose_secret().0
    }

    /// Never compiles: a secret has no text form.
    #[doc(hidden)]
    #[expect(
        clippy::inherent_to_string,
        reason = "makes the compiler answer with P0601 instead of a list of unmet bounds"
    )]
    pub fn to_string(&self) -> String
    where
        T: TextForm,
    {
        String::new()
    }
}

impl<T: Wipe + Clone> Clone for Secret<T> {
    fn clone(&self) -> Self {
        Self::new(self.expose().clone())
    }
}

impl<T: Wipe> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl From<&str> for Secret<String> {
    fn from(value: &str) -> Self {
        Self::new(value.to_owned())
    }
}

impl<T: Wipe> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

// The three impls below apply to no type, since nothing implements `TextForm` or `Comparable`. They are here for their
// message: without them the compiler lists unmet bounds of foreign traits, with them it says why and what to do.

impl<T: Wipe + TextForm> fmt::Display for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl<T: Wipe + TextForm> Serialize for Secret<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

impl<T: Wipe + Comparable, U> PartialEq<U> for Secret<T> {
    fn eq(&self, _: &U) -> bool {
        false
    }
}

/// Holds for no type: a secret is never text.
#[diagnostic::on_unimplemented(
    message = "P0601: a secret has no text form",
    label = "this is a `Secret<{Self}>`",
    note = "it cannot be printed, logged, formatted or serialized; call `.expose()` where the value itself is really needed",
    note = "`palisade explain P0601` tells why"
)]
#[doc(hidden)]
pub trait TextForm: sealed::Nobody {}

/// Holds for no type: `==` on secrets tells their content by its timing.
#[diagnostic::on_unimplemented(
    message = "P0602: a secret is not compared with `==`",
    label = "this is a `Secret<{Self}>`",
    note = "write `palisade::secret::compare::equal(a.expose(), b.expose())`, which takes the same time for every content",
    note = "`palisade explain P0602` tells why"
)]
#[doc(hidden)]
pub trait Comparable: sealed::Nobody {}

/// What can be overwritten when it is dropped; every [`Zeroize`] type can.
#[diagnostic::on_unimplemented(
    message = "P0603: `{Self}` cannot be wiped from memory, so it cannot be a secret",
    label = "does not know how to overwrite itself",
    note = "keep the secret part alone: `Secret<String>`, `Secret<Vec<u8>>`, `Secret<[u8; 32]>`",
    note = "`palisade explain P0603` tells why"
)]
pub trait Wipe: sealed::Wipe {
    #[doc(hidden)]
    fn wipe(&mut self);
}

#[diagnostic::do_not_recommend]
impl<T: Zeroize> Wipe for T {
    fn wipe(&mut self) {
        self.zeroize();
    }
}

struct Wiped<T: Wipe>(T);

impl<T: Wipe> Zeroize for Wiped<T> {
    fn zeroize(&mut self) {
        self.0.wipe();
    }
}

mod sealed {
    pub trait Nobody {}

    pub trait Wipe {}

    #[diagnostic::do_not_recommend]
    impl<T: zeroize::Zeroize> Wipe for T {}
}
