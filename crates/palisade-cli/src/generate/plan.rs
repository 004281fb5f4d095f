//! What a command is about to do: shown, or done whole, or not done at all.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io, process};

use anstyle::{AnsiColor, Style};
use similar::TextDiff;

use super::service::Service;
use crate::Failure;

/// Texts of files before and after, and what stays as it is.
#[derive(Default)]
pub(crate) struct Plan {
    changes: Vec<Change>,
    same: Vec<String>,
}

struct Change {
    name: String,
    before: Option<String>,
    after: Option<String>,
}

impl Change {
    fn verb(&self) -> &'static str {
        match (&self.before, &self.after) {
            (None, _) => "wrote",
            (_, None) => "deleted",
            _ => "changed",
        }
    }
}

impl Plan {
    /// A file that shall have this text: left when it has it, refused when it has another one.
    pub(crate) fn write(
        &mut self,
        service: &Service,
        name: &str,
        text: String,
    ) -> Result<(), Failure> {
        match service.read(name)? {
            Some(there) if there == text => self.same.push(name.to_owned()),
            Some(_) => {
                return Err(Failure::other(format!(
                    "`{name}` is there already and says something else: move it away, or choose another name. Nothing was written."
                )));
            }
            None => self.changes.push(Change {
                name: name.to_owned(),
                before: None,
                after: Some(text),
            }),
        }
        Ok(())
    }

    /// A file that is there and shall have this text.
    pub(crate) fn change(&mut self, name: &str, before: String, after: String) {
        if before == after {
            self.same.push(name.to_owned());
        } else {
            self.changes.push(Change {
                name: name.to_owned(),
                before: Some(before),
                after: Some(after),
            });
        }
    }

    /// A file that shall be gone.
    pub(crate) fn delete(&mut self, name: &str, before: String) {
        self.changes.push(Change {
            name: name.to_owned(),
            before: Some(before),
            after: None,
        });
    }

    /// Whether there is nothing to do.
    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// One line a file, in the past tense.
    pub(crate) fn told(&self) -> String {
        let done = self
            .changes
            .iter()
            .map(|change| (change.verb(), &change.name));
        let same = self.same.iter().map(|name| ("kept", name));
        let lines = done.chain(same);
        lines
            .map(|(verb, name)| format!("{verb:<8} {name}\n"))
            .collect()
    }

    /// The unified diff of all of it.
    pub(crate) fn diff(&self) -> String {
        let (bold, red, green, cyan) = (
            Style::new().bold(),
            Style::new().fg_color(Some(AnsiColor::Red.into())),
            Style::new().fg_color(Some(AnsiColor::Green.into())),
            Style::new().fg_color(Some(AnsiColor::Cyan.into())),
        );
        let mut text = String::new();
        for change in &self.changes {
            let name = |side: &str, there: bool| {
                if there {
                    format!("{side}/{}", change.name)
                } else {
                    "/dev/null".to_owned()
                }
            };
            let (old, new) = (
                name("a", change.before.is_some()),
                name("b", change.after.is_some()),
            );
            let before = change.before.as_deref().unwrap_or_default();
            let after = change.after.as_deref().unwrap_or_default();
            let diff = TextDiff::from_lines(before, after);
            let diff = diff.unified_diff().header(&old, &new).to_string();
            for line in diff.lines() {
                let style = match line.as_bytes().first() {
                    _ if line.starts_with("--- ") || line.starts_with("+++ ") => bold,
                    Some(b'-') => red,
                    Some(b'+') => green,
                    Some(b'@') => cyan,
                    _ => Style::new(),
                };
                let _ = writeln!(text, "{style}{line}{style:#}");
            }
        }
        text
    }

    /// Does it: each new text is written beside its place first, and what was done is taken back when one step fails.
    pub(crate) fn apply(&self, service: &Service) -> Result<(), Failure> {
        let mut undo = Undo::default();
        let outcome = self.stage(service, &mut undo).and_then(|staged| {
            for (change, staged) in self.changes.iter().zip(staged) {
                step(service, change, staged.as_deref(), &mut undo)
                    .map_err(|error| (change.name.clone(), error))?;
            }
            Ok(())
        });
        match outcome {
            Ok(()) => {
                undo.forget();
                Ok(())
            }
            Err((name, error)) => {
                drop(undo);
                Err(Failure::other(format!(
                    "`{name}` could not be written, so nothing was: {error}."
                )))
            }
        }
    }

    fn stage(
        &self,
        service: &Service,
        undo: &mut Undo,
    ) -> Result<Vec<Option<PathBuf>>, (String, io::Error)> {
        let mut staged = Vec::new();
        for change in &self.changes {
            let path = place(&service.path(&change.name));
            let made = change
                .after
                .as_ref()
                .map(|text| write_beside(&path, text, undo))
                .transpose();
            staged.push(made.map_err(|error| (change.name.clone(), error))?);
        }
        Ok(staged)
    }
}

/// Where a link leads, so that it stays one.
fn place(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn write_beside(path: &Path, text: &str, undo: &mut Undo) -> io::Result<PathBuf> {
    if let Some(folder) = path.parent() {
        let missing: Vec<_> = folder
            .ancestors()
            .take_while(|folder| !folder.exists())
            .collect();
        for folder in missing.into_iter().rev() {
            fs::create_dir(folder)?;
            undo.folders.push(folder.to_owned());
        }
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let staged = path.with_file_name(format!(".{name}.{}", process::id()));
    undo.staged.push(staged.clone());
    fs::write(&staged, text)?;
    if let Ok(old) = fs::metadata(path) {
        fs::set_permissions(&staged, old.permissions())?;
    }
    Ok(staged)
}

fn step(
    service: &Service,
    change: &Change,
    staged: Option<&Path>,
    undo: &mut Undo,
) -> io::Result<()> {
    let path = place(&service.path(&change.name));
    match staged {
        Some(staged) => fs::rename(staged, &path)?,
        None => fs::remove_file(&path)?,
    }
    undo.done.push((path, change.before.clone()));
    Ok(())
}

/// Takes back what was done, unless it is told to forget it.
#[derive(Default)]
struct Undo {
    folders: Vec<PathBuf>,
    staged: Vec<PathBuf>,
    done: Vec<(PathBuf, Option<String>)>,
}

impl Undo {
    fn forget(&mut self) {
        self.done.clear();
        self.staged.clear();
        self.folders.clear();
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        for (path, before) in self.done.drain(..).rev() {
            let _ = match before {
                Some(text) => fs::write(&path, text),
                None => fs::remove_file(&path),
            };
        }
        for staged in self.staged.drain(..) {
            let _ = fs::remove_file(staged);
        }
        for folder in self.folders.drain(..).rev() {
            let _ = fs::remove_dir(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::service::Service;
    use super::Plan;

    #[test]
    fn takes_back_what_was_done_when_a_later_step_fails() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("old"), "before\n").unwrap();
        let service = Service::at(folder.path());
        let mut plan = Plan::default();
        assert!(
            plan.write(&service, "a/new/file", "new\n".to_owned())
                .is_ok()
        );
        plan.change("old", "before\n".to_owned(), "after\n".to_owned());
        plan.delete("gone", String::new());
        let failure = plan.apply(&service).err().unwrap();
        let text = "`gone` could not be written, so nothing was: ";
        assert!(failure.text.starts_with(text), "{}", failure.text);
        let left: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(left, ["old"]);
        assert_eq!(
            fs::read_to_string(folder.path().join("old")).unwrap(),
            "before\n"
        );
    }
}
