//! Where settings come from: a working folder and an environment.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The working folder and the environment that settings are read from.
///
/// [`of_process`](Sources::of_process) takes the real ones; tests make their own.
///
/// # Example
/// ```
/// use palisade::config::{self, Sources};
/// let sources = Sources::new("/nowhere", [("PORT", "http")]);
/// let refusal = config::load::<()>(&sources).finish().unwrap_err();
/// assert!(refusal.to_string().contains("`PORT` is not a whole number"));
/// assert!(refusal.to_string().contains("`DATABASE_URL` is missing"));
/// ```
pub struct Sources {
    folder: PathBuf,
    variables: BTreeMap<String, OsString>,
}

impl Sources {
    /// A folder and variables of your own.
    pub fn new<N: Into<String>, V: Into<OsString>>(
        folder: impl Into<PathBuf>,
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        Self {
            folder: folder.into(),
            variables: variables
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        }
    }

    /// The folder that the process stands in, and its environment.
    #[must_use]
    pub fn of_process() -> Self {
        let named = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value));
        Self::new(
            std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")),
            std::env::vars_os().filter_map(named),
        )
    }

    /// The working folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name)?.to_str()
    }

    /// Each variable; `None` stands for a value that is not UTF-8.
    pub(super) fn variables(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.variables
            .iter()
            .map(|(name, value)| (name.as_str(), value.to_str()))
    }
}
