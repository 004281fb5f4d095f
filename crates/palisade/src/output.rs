//! What is let out: only what an `#[output]` type declares.
