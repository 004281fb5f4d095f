//! What expansions of the macros name; not for people.

pub use crate::config;
pub use http;
