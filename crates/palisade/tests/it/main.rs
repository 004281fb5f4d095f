//! Everything but compile-fail, in one binary.

mod config;
mod error;
mod secret;
