//! Actors and proofs made by hand, for tests.
