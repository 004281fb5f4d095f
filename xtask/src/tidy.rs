//! `cargo xtask tidy`: what keeps the house in order and no compiler checks.

mod cases;
mod codes;
mod links;
mod rooms;
mod text;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{fs, io};

/// What was found, each with its place and its cure.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<String>);

impl Faults {
    fn add(&mut self, place: &str, wrong: &str) {
        self.0.push(format!("{place}: {wrong}"));
    }

    /// Everything at once, as text.
    pub(crate) fn into_result(self) -> Result<(), String> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(self.0.join("\n"))
        }
    }
}

/// The tracked files of a checkout: their path from its root, with `/`, and their text.
struct Tree(Vec<(String, String)>);

impl Tree {
    fn read(root: &Path) -> io::Result<Self> {
        let mut names = tracked(root).map_or_else(|| walked(root), Ok)?;
        names.sort();
        let texts = names.into_iter().filter_map(|name| {
            let text = fs::read_to_string(root.join(&name)).ok()?;
            Some((name, text))
        });
        Ok(Self(texts.collect()))
    }

    /// The files below a folder that end so.
    fn under<'a>(
        &'a self,
        folder: &'a str,
        end: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()))
            .filter(move |(name, _)| name.starts_with(folder) && name.ends_with(end))
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(other, _)| other == name)
    }
}

/// Checks and tells.
pub(crate) fn run(root: &Path) -> ExitCode {
    for (lines, name) in longest(root, 8) {
        println!("{lines:>5} lines  {name}");
    }
    match check(root).into_result() {
        Ok(()) => {
            println!("tidy");
            ExitCode::SUCCESS
        }
        Err(faults) => {
            println!("\n{faults}");
            ExitCode::FAILURE
        }
    }
}

/// Every fault in the checkout.
pub(crate) fn check(root: &Path) -> Faults {
    let mut faults = Faults::default();
    match Tree::read(root) {
        Ok(tree) => {
            rooms::check(&tree, &mut faults);
            text::check(&tree, &mut faults);
            codes::check(&tree, &mut faults);
            cases::check(&tree, &mut faults);
            links::check(&tree, &mut faults);
        }
        Err(error) => faults.add(
            &root.display().to_string(),
            &format!("cannot be read: {error}"),
        ),
    }
    faults
}

/// The longest source files, before their tests: a report, not a limit.
fn longest(root: &Path, count: usize) -> Vec<(usize, String)> {
    let Ok(tree) = Tree::read(root) else {
        return Vec::new();
    };
    let mut files: Vec<_> = tree
        .under("", ".rs")
        .filter(|(name, _)| name.contains("src/"))
        .map(|(name, text)| {
            (
                text.split("\n#[cfg(test)]")
                    .next()
                    .unwrap_or(text)
                    .lines()
                    .count(),
                name.to_owned(),
            )
        })
        .collect();
    files.sort();
    files.into_iter().rev().take(count).collect()
}

fn tracked(root: &Path) -> Option<Vec<String>> {
    let arguments = [
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ];
    let output = Command::new("git")
        .args(arguments)
        .current_dir(root)
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let names: Vec<String> = text.split_terminator('\0').map(str::to_owned).collect();
    (output.status.success() && !names.is_empty()).then_some(names)
}

/// A checkout without git: everything but what is built or private.
fn walked(root: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.file_type()?.is_dir() {
                if name != "target" && name != ".git" {
                    folders.push(path);
                }
            } else if name != ".env" && !name.contains(".sqlite") {
                names.push(path.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    Ok(names)
}

#[cfg(test)]
fn faults(check: fn(&Tree, &mut Faults), files: &[(&str, &str)]) -> Vec<String> {
    let files = files
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    let mut faults = Faults::default();
    check(&Tree(files.collect()), &mut faults);
    faults.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_checkout_is_tidy() {
        if let Err(faults) = check(&crate::root()).into_result() {
            panic!("{faults}");
        }
    }

    #[test]
    fn a_checkout_without_git_is_read_too() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("a/b.rs", "x"),
            ("target/c.rs", "x"),
            (".env", "x"),
            ("d.md", "x"),
        ] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let mut names = walked(folder.path()).unwrap();
        names.sort();
        assert_eq!(names, ["a/b.rs", "d.md"]);
    }
}
