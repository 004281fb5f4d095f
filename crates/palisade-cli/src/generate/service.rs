//! The service that this command stands in.

use std::path::PathBuf;
use std::{env, fs};

use crate::Failure;

/// The folder of a service, and what is read in it.
pub(crate) struct Service {
    root: PathBuf,
}

impl Service {
    /// The nearest folder, from here upwards, whose manifest depends on palisade.
    pub(crate) fn here() -> Result<Self, Failure> {
        let here = env::current_dir()
            .map_err(|error| Failure::other(format!("This folder cannot be read: {error}.")))?;
        for folder in here.ancestors() {
            let Ok(manifest) = fs::read_to_string(folder.join("Cargo.toml")) else {
                continue;
            };
            let table: toml::Table = manifest.parse().map_err(|_| {
                Failure::other(format!(
                    "`{}` cannot be read as TOML: mend it first (`cargo check` says where).",
                    folder.join("Cargo.toml").display()
                ))
            })?;
            if depends_on_palisade(&table) {
                return Ok(Self {
                    root: folder.to_owned(),
                });
            }
        }
        Err(Failure::other(format!(
            "`{}` is in no palisade service: go into one, or make one with `palisade new hello`.",
            here.display()
        )))
    }

    #[cfg(test)]
    pub(crate) fn at(root: &std::path::Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    /// Where a file of this name, with `/`, is.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// The text of a file, when there is one.
    pub(crate) fn read(&self, name: &str) -> Result<Option<String>, Failure> {
        let path = self.path(name);
        if !path.exists() {
            return Ok(None);
        }
        fs::read_to_string(&path)
            .map(Some)
            .map_err(|error| Failure::other(format!("`{name}` cannot be read: {error}.")))
    }

    /// The text of a file that must be there.
    pub(crate) fn read_needed(&self, name: &str) -> Result<String, Failure> {
        self.read(name)?.ok_or_else(|| {
            Failure::other(format!(
                "There is no `{name}` in `{}`: a service has one.",
                self.root.display()
            ))
        })
    }

    /// The files of a folder by name, sorted.
    pub(crate) fn files(&self, folder: &str) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.path(folder))
            .map(|entries| {
                entries
                    .flatten()
                    .filter_map(|entry| entry.file_name().into_string().ok())
                    .collect()
            })
            .unwrap_or_default();
        names.sort();
        names
    }
}

fn depends_on_palisade(manifest: &toml::Table) -> bool {
    let ours = |dependencies: &toml::Value| dependencies.get("palisade").is_some();
    manifest.get("dependencies").is_some_and(ours)
}
