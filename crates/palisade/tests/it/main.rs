//! Everything but compile-fail, in one binary.

mod config;
