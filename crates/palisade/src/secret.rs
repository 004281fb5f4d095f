//! What nobody may see: values without a text form, keys, tokens, and how to compare them.

pub mod compare;
pub mod key;
pub(crate) mod seal;
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
pub struct Secret<T>(SecretBox<Wiped<T>>);

impl<T> Secret<T> {
    /// Takes the value into custody.
    pub fn new(value: T) -> Self
    where
        T: Wipe,
    {
        Self(SecretBox::new(Box::new(Wiped(value, T::wipe))))
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
        clippy::inherent_to_string_shadow_display,
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

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

// The three impls below apply to no type, since nothing implements `TextForm` or `Comparable`. They are here for their
// message: without them the compiler lists unmet bounds of foreign traits, with them it says why and what to do.

impl<T: TextForm> fmt::Display for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl<T: TextForm> Serialize for Secret<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

// The bound is on the right side, which is still unknown when the compiler looks for the operator: so the operator is found,
// and what is reported is the bound, in our words. `Right` keeps the bound's type apart from the operand's, else the
// compiler would speak of the operator again.
impl<T, U> PartialEq<U> for Secret<T>
where
    Right<U>: Comparable,
{
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

/// Holds for no type that exists: `==` on secrets tells their content by its timing.
#[diagnostic::on_unimplemented(
    message = "P0602: a secret is not compared with `==`",
    label = "the time that this takes would tell how much of a guess is right",
    note = "write `palisade::secret::compare::equal(a.expose(), b.expose())`, which takes the same time for every content",
    note = "`palisade explain P0602` tells why"
)]
#[doc(hidden)]
pub trait Comparable {}

/// The right side of a comparison.
#[doc(hidden)]
pub struct Right<U>(std::marker::PhantomData<U>);

// Two types that nobody has, so that the bound stays open until the right side is known.
#[diagnostic::do_not_recommend]
impl Comparable for Right<sealed::NoType> {}
#[diagnostic::do_not_recommend]
impl Comparable for Right<sealed::NoOtherType> {}

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

/// The value and how it is wiped; asked of the type once, where the secret is made.
struct Wiped<T>(T, fn(&mut T));

impl<T> Zeroize for Wiped<T> {
    fn zeroize(&mut self) {
        self.1(&mut self.0);
    }
}

mod sealed {
    pub trait Nobody {}

    pub enum NoType {}
    pub enum NoOtherType {}

    pub trait Wipe {}

    #[diagnostic::do_not_recommend]
    impl<T: zeroize::Zeroize> Wipe for T {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    struct Watched(Arc<AtomicBool>);

    impl Zeroize for Watched {
        fn zeroize(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }

    #[test]
    fn is_wiped_when_dropped() {
        let wiped = Arc::new(AtomicBool::new(false));
        let secret = Secret::new(Watched(Arc::clone(&wiped)));
        assert!(!wiped.load(Ordering::SeqCst) && !secret.expose().0.load(Ordering::SeqCst));
        drop(secret);
        assert!(wiped.load(Ordering::SeqCst));
    }
}
