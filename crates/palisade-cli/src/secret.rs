//! `palisade secret`: makes a key, and replaces the one of a development machine without signing anybody out.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::{Failure, say};

const KEY: &str = "PALISADE_SECRET_KEY";
const PREVIOUS: &str = "PALISADE_SECRET_KEY_PREVIOUS";
const DEVELOPMENT_MARK: &str = "dev_";

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Secret {
    #[command(subcommand)]
    task: Option<Task>,
    /// A key that production refuses, for a development machine
    #[arg(long)]
    development: bool,
}

#[derive(Subcommand)]
enum Task {
    /// Puts a new key in the file; the one before is kept beside it, so that what it signed stays good
    Rotate {
        /// The file that holds PALISADE_SECRET_KEY
        #[arg(default_value = ".env")]
        file: PathBuf,
    },
    /// Takes the key before out of the file: what it signed is worth nothing from then on
    Retire {
        /// The file that holds PALISADE_SECRET_KEY_PREVIOUS
        #[arg(default_value = ".env")]
        file: PathBuf,
    },
}

pub(crate) fn secret(secret: &Secret) -> Result<ExitCode, Failure> {
    match &secret.task {
        None => {
            let mark = if secret.development {
                DEVELOPMENT_MARK
            } else {
                ""
            };
            say(&format!("{mark}{}\n", key()));
        }
        Some(Task::Rotate { file }) => {
            replace(file, rotated)?;
            say(&format!(
                "{} has a new key, and the one before as {PREVIOUS}. Restart the service; once the access tokens of before have \
                 expired (auth.access_token_lifetime), run `palisade secret retire`.\n",
                file.display()
            ));
        }
        Some(Task::Retire { file }) => {
            replace(file, retired)?;
            say(&format!(
                "{} holds one key again. Restart the service.\n",
                file.display()
            ));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// 256 random bits in hexadecimal.
pub(crate) fn key() -> String {
    let bytes: [u8; 32] = rand::random();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn rotated(text: &str) -> Result<String, String> {
    if lines_of(text, PREVIOUS).next().is_some() {
        return Err(format!(
            "holds {PREVIOUS} already, so a rotation is under way: end it with `palisade secret retire` first."
        ));
    }
    let mut keys = lines_of(text, KEY);
    let (Some(line), None) = (keys.next(), keys.next()) else {
        return Err(format!("does not hold one line {KEY}=…"));
    };
    let (_, before) = entry(line).unwrap_or_default();
    let unquoted = before.trim_matches(['"', '\'']);
    let mark = if unquoted.starts_with(DEVELOPMENT_MARK) {
        DEVELOPMENT_MARK
    } else {
        ""
    };
    let new = format!("{KEY}={mark}{}\n{PREVIOUS}={before}", key());
    Ok(text.replacen(line, &new, 1))
}

fn retired(text: &str) -> Result<String, String> {
    if lines_of(text, PREVIOUS).next().is_none() {
        return Err(format!("holds no {PREVIOUS}: there is nothing to retire."));
    }
    let kept = text
        .split_inclusive('\n')
        .filter(|line| entry(line.trim_end()).is_none_or(|(name, _)| name != PREVIOUS));
    Ok(kept.collect())
}

fn lines_of<'a>(text: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    text.lines()
        .filter(move |line| entry(line).is_some_and(|(own, _)| own == name))
}

/// The name and the value of a line of a `.env` file, the value as it is written.
fn entry(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start();
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (name, value) = line.split_once('=')?;
    Some((name.trim(), value.trim()))
}

/// Writes the new text beside the file and moves it there, so that the file is whole at every moment.
fn replace(file: &Path, change: fn(&str) -> Result<String, String>) -> Result<(), Failure> {
    let shown = file.display();
    let failed = |error: &io::Error| {
        Failure::other(match error.kind() {
            io::ErrorKind::NotFound => {
                format!("There is no file `{shown}`: go to the service's folder, or name the file.")
            }
            io::ErrorKind::PermissionDenied => {
                format!("`{shown}` was not changed: this user may not.")
            }
            _ => format!("`{shown}` was not changed: {error}."),
        })
    };
    let text = fs::read_to_string(file).map_err(|error| failed(&error))?;
    let changed = change(&text).map_err(|wrong| Failure::other(format!("`{shown}` {wrong}")))?;
    let permissions = fs::metadata(file)
        .map_err(|error| failed(&error))?
        .permissions();
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let beside = file.with_file_name(format!("{name}.new-{}", std::process::id()));
    let written = write(&beside, &changed, permissions).and_then(|()| fs::rename(&beside, file));
    written.map_err(|error| {
        let _ = fs::remove_file(&beside);
        failed(&error)
    })
}

fn write(path: &Path, text: &str, permissions: Permissions) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    file.set_permissions(permissions)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotation_keeps_the_key_before_and_everything_else() {
        let text = "# mine\nHOST=127.0.0.1\nexport PALISADE_SECRET_KEY=\"dev_00\"\nPORT=1\n";
        let rotated = rotated(text).unwrap();
        let lines: Vec<&str> = rotated.lines().collect();
        assert_eq!(lines[..2], ["# mine", "HOST=127.0.0.1"]);
        let new = lines[2].strip_prefix("PALISADE_SECRET_KEY=dev_").unwrap();
        assert_eq!(new.len(), 64);
        assert_eq!(
            lines[3..],
            ["PALISADE_SECRET_KEY_PREVIOUS=\"dev_00\"", "PORT=1"]
        );
        assert!(super::rotated(&rotated).is_err(), "one overlap at a time");
        assert_eq!(
            retired(&rotated).unwrap().lines().collect::<Vec<_>>(),
            [lines[0], lines[1], lines[2], "PORT=1"]
        );
    }
}
