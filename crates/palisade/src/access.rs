//! The words for permission, and the proofs of it.
