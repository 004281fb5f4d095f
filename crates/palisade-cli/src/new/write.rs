//! The files of a new service: written beside the target, then moved there whole.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, UndefinedBehavior, context};

use super::run;
use crate::{Failure, secret};

static TEMPLATE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../templates/api");

/// The versions that palisade itself was tested with; cargo drops what the service does not use.
const LOCK: &str = include_str!("../../../../Cargo.lock");

const RENDERED: &str = "jinja";
const DEFAULT_PORT: u16 = 3000;

/// Writes the service, or nothing.
pub(super) fn service(folder: &Path, name: &str, palisade: &str) -> Result<(), Failure> {
    let parent = match folder.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    refuse_taken(folder, parent)?;
    let staging = Staging(parent.join(format!(".{name}.new-{}", std::process::id())));
    let failed = |error: &io::Error| cannot_write(parent, error);
    fs::create_dir(&staging.0).map_err(|error| failed(&error))?;
    files(&staging.0, name, palisade)?;
    fs::rename(&staging.0, folder).map_err(|error| failed(&error))?;
    Ok(())
}

fn refuse_taken(folder: &Path, parent: &Path) -> Result<(), Failure> {
    if !parent.is_dir() {
        return Err(Failure::other(format!(
            "There is no folder `{}`: make it first.",
            parent.display()
        )));
    }
    let shown = folder.display();
    match fs::symlink_metadata(folder) {
        Err(_) => Ok(()),
        Ok(found) if !found.is_dir() => Err(Failure::other(format!(
            "`{shown}` is a file: choose another name."
        ))),
        Ok(_) => match fs::read_dir(folder).map(|mut entries| entries.next().is_none()) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Failure::other(format!(
                "`{shown}` is not empty: choose another name, or empty it first."
            ))),
            Err(error) => Err(cannot_write(folder, &error)),
        },
    }
}

fn cannot_write(folder: &Path, error: &io::Error) -> Failure {
    let why = match error.kind() {
        ErrorKind::PermissionDenied => "this user may not".to_owned(),
        ErrorKind::ReadOnlyFilesystem => "it is read-only".to_owned(),
        ErrorKind::StorageFull => "the disk is full".to_owned(),
        // What a file system without files to write, such as /proc, says.
        ErrorKind::NotFound => "it takes no files".to_owned(),
        _ => error.to_string(),
    };
    Failure::other(format!(
        "Nothing was written to `{}`: {why}.",
        folder.display()
    ))
}

fn files(target: &Path, name: &str, palisade: &str) -> Result<(), Failure> {
    let mut jinja = Environment::new();
    jinja.set_undefined_behavior(UndefinedBehavior::Strict);
    let mut syntax = SyntaxConfig::builder();
    syntax.keep_trailing_newline(true);
    jinja.set_syntax(
        syntax
            .build()
            .map_err(|error| Failure::other(format!("{error}.")))?,
    );
    let values = context! {
        name,
        palisade,
        secret_key => secret::key(),
        curl => run::requests(DEFAULT_PORT),
    };
    let mut files = Vec::new();
    gather(&TEMPLATE, &mut files);
    for (path, text) in files {
        let written = if path.extension().is_some_and(|end| end == RENDERED) {
            let rendered = jinja.render_str(text, &values).map_err(|error| {
                Failure::other(format!(
                    "The template `{}` is broken: {error}.",
                    path.display()
                ))
            })?;
            write(&target.join(path.with_extension("")), &rendered)
        } else {
            write(&target.join(path), text)
        };
        written.map_err(|error| cannot_write(target, &error))?;
    }
    write(&target.join("Cargo.lock"), LOCK).map_err(|error| cannot_write(target, &error))
}

fn gather<'a>(folder: &'a Dir<'a>, files: &mut Vec<(&'a Path, &'a str)>) {
    files.extend(
        folder
            .files()
            .filter_map(|file| Some((file.path(), file.contents_utf8()?))),
    );
    for folder in folder.dirs() {
        gather(folder, files);
    }
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if path.file_name().is_some_and(|name| name == ".env") {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)?.write_all(text.as_bytes())
}

/// A folder that is deleted unless it was moved away.
struct Staging(PathBuf);

impl Drop for Staging {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
