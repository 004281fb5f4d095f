//! Comparing what an attacker may guess.

use subtle::ConstantTimeEq;

/// Whether both are the same bytes, in a time that does not depend on where they differ.
///
/// # Security
/// Stands against guessing a secret byte by byte from the time of the answer (CWE-208). The time does tell whether the
/// *lengths* differ: compare hashes or tags, whose length is no secret.
///
/// # Example
/// ```
/// use palisade::secret::{Secret, compare};
/// let expected: Secret<String> = "hunter2hunter2".into();
/// assert!(compare::equal("hunter2hunter2", expected.expose()));
/// assert!(!compare::equal("hunter2hunter3", expected.expose()));
/// ```
#[must_use]
pub fn equal(a: impl AsRef<[u8]>, b: impl AsRef<[u8]>) -> bool {
    a.as_ref().ct_eq(b.as_ref()).into()
}
