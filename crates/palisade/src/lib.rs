//! A web framework in which the insecure path does not compile.
//!
//! Start with [`prelude`]; the guide lies in `docs/`.

// The macros name everything through `::palisade`, also here.
extern crate self as palisade;

pub mod access;
pub mod app;
pub mod auth;
pub mod config;
pub mod db;
pub mod endpoint;
pub mod error;
pub mod event;
pub mod input;
pub mod output;
pub mod perimeter;
pub mod prelude;
pub mod secret;

#[doc(hidden)]
pub mod __private;
#[cfg(feature = "testing")]
pub mod testing;

pub use error::{Error, Result};
pub use palisade_macros::settings;
