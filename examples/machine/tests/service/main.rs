//! The service as a real process.

mod harness;
mod keys;
mod orders;
