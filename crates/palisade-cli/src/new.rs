//! `palisade new NAME`: a service that is safe and tested from its first line.

mod name;
mod run;
mod write;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

pub(crate) use name::KEYWORDS;
pub(crate) use run::announce;

use crate::{Failure, say};

/// Where this command was built, when it was built from a checkout.
const CHECKOUT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../palisade");

pub(crate) fn new(folder: &Path, palisade: Option<&Path>, run: bool) -> Result<ExitCode, Failure> {
    let name = name::of(folder)?;
    let source = source(palisade)?;
    if !has_cargo() {
        return Err(Failure::other(
            "`cargo` is not in PATH: install Rust from https://rustup.rs first.",
        ));
    }
    write::service(folder, &name, &source)?;
    say(&format!("Wrote `{name}` to {}.\n", folder.display()));
    if run {
        return run::run(folder, &name);
    }
    say(&format!(
        "\n    cd {}\n    cargo run\n\n",
        quoted_for_shell(folder)
    ));
    Ok(ExitCode::SUCCESS)
}

/// Where the new service takes palisade from: the manifest's entry.
fn source(given: Option<&Path>) -> Result<String, Failure> {
    let found = match given {
        Some(given) => {
            let found = checkout(given).or_else(|| checkout(&given.join("crates/palisade")));
            Some(found.ok_or_else(|| {
                Failure::usage(format!(
                    "There is no palisade in `{}`: name a checkout of it.",
                    given.display()
                ))
            })?)
        }
        None => checkout(Path::new(CHECKOUT)),
    };
    match found {
        Some(path) => {
            let path = path.to_str().ok_or_else(|| {
                Failure::other("The path to palisade is not UTF-8: move the checkout.")
            })?;
            Ok(format!("path = {}", quoted(path)))
        }
        None => Ok(format!("version = {}", quoted(env!("CARGO_PKG_VERSION")))),
    }
}

/// The whole path of this folder, when it holds the framework's crate.
fn checkout(folder: &Path) -> Option<PathBuf> {
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).ok()?;
    let ours = manifest.lines().any(|line| line == "name = \"palisade\"");
    ours.then(|| folder.canonicalize().ok())?
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            letter if letter.is_control() => quoted += &format!("\\u{:04X}", u32::from(letter)),
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

fn quoted_for_shell(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-".contains(letter);
    if text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

fn has_cargo() -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let program = format!("cargo{}", env::consts::EXE_SUFFIX);
    env::split_paths(&path).any(|folder| folder.join(&program).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_a_path_as_toml_and_as_a_shell_reads_it() {
        assert_eq!(quoted("a\"b\\c\n"), r#""a\"b\\c\u000A""#);
        assert_eq!(quoted_for_shell(Path::new("../hello")), "../hello");
        assert_eq!(quoted_for_shell(Path::new("it's here")), r"'it'\''s here'");
    }
}
