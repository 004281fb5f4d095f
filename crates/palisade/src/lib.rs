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
/// Makes a struct the app's settings: read from `[app]` in `palisade.toml` and from `PALISADE_APP__…`, checked at start.
///
/// A field is required unless it has `#[setting(default = …)]` or is an `Option`; `range = 1..=100` limits what has an
/// order, `length = 1..=80` text and lists. A field of another `#[settings]` type is a table. `Clone` and a `Debug` that
/// redacts secrets come with it.
///
/// # Example
/// ```
/// use palisade::config::{self, Sources};
/// use palisade::secret::Secret;
///
/// #[palisade::settings]
/// struct Settings {
///     #[setting(default = "Notes", length = 1..=80)]
///     title: String,
///     #[setting(default = 20, range = 1..=100)]
///     per_page: u32,
///     mail_key: Option<Secret<String>>,
/// }
///
/// let sources = Sources::new("/nowhere", [("PALISADE_APP__PER_PAGE", "50")]);
/// let settings = config::load::<Settings>(&sources).settings.expect("each of them could be read");
/// assert_eq!((settings.title.as_str(), settings.per_page), ("Notes", 50));
/// assert!(settings.mail_key.is_none());
/// ```
pub use palisade_macros::settings;
