//! A terminal for the checks: commands are typed into one `sh`, which keeps its folder and its variables between them.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::steps::forget_own_package;

/// For a build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(1200);
/// What tells the end of one command's output from the next one's.
const END: &str = "--- end of the command: ";

pub(crate) struct Shell {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
}

/// A shell as a user of the checkout has one: it knows no settings of a service, and nothing of the cargo that runs this.
pub(crate) fn terminal(root: &Path, folder: &Path) -> Command {
    let mut shell = Command::new("sh");
    shell
        .current_dir(folder)
        // One target folder for all: a service's dependencies are those of the workspace.
        .env("CARGO_TARGET_DIR", root.join("target"))
        .env("CARGO_TERM_COLOR", "never")
        .env("no_proxy", "127.0.0.1");
    forget_own_package(&mut shell);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("PALISADE_") || ["DATABASE_URL", "HOST", "PORT"].contains(&&*text) {
            shell.env_remove(&name);
        }
    }
    shell
}

/// What a command said on both outputs, and how it ended.
pub(crate) struct Outcome {
    pub(crate) said: String,
    pub(crate) code: i32,
}

impl Shell {
    /// Opens it with the folder and the environment of this command.
    pub(crate) fn open(mut like: Command) -> Result<Self, String> {
        let mut child = like
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot run {like:?}: {error}"))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("the shell has no input or no output".to_owned());
        };
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let mut shell = Self {
            child,
            input,
            lines,
        };
        shell.type_in("exec 2>&1")?;
        Ok(shell)
    }

    /// Types a command and waits for its end.
    pub(crate) fn run(&mut self, command: &str) -> Result<Outcome, String> {
        // Braces keep what it defines; without them a command could read the next one from the shell's own input.
        self.type_in(&format!("{{\n{command}\n}} </dev/null"))?;
        self.type_in(&format!("printf '\\n{END}%s\\n' $?"))?;
        let until = Instant::now() + PATIENCE;
        let mut said = String::new();
        loop {
            match self
                .lines
                .recv_timeout(until.saturating_duration_since(Instant::now()))
            {
                Ok(line) => match line.strip_prefix(END) {
                    Some(code) => {
                        let code = code.parse().map_err(|_| "no exit code".to_owned())?;
                        let said = said.trim_end_matches('\n').to_owned();
                        return Ok(Outcome { said, code });
                    }
                    None => said += &format!("{line}\n"),
                },
                Err(RecvTimeoutError::Timeout) => {
                    return Err(format!("`{command}` does not end:\n{said}"));
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(format!("`{command}` ended the shell:\n{said}"));
                }
            }
        }
    }

    /// Where it is now.
    pub(crate) fn folder(&mut self) -> Result<PathBuf, String> {
        Ok(PathBuf::from(self.run("pwd -P")?.said))
    }

    fn type_in(&mut self, line: &str) -> Result<(), String> {
        writeln!(self.input, "{line}").map_err(|error| format!("the shell is gone: {error}"))
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_variables_functions_and_the_folder_and_tells_each_end() {
        let mut shell = Shell::open(Command::new("sh")).unwrap();
        let mut run = |command: &str| {
            let outcome = shell.run(command).unwrap();
            (outcome.said, outcome.code)
        };
        assert_eq!(
            run("name=ann; hi() { echo \"hi $1\"; }"),
            (String::new(), 0)
        );
        assert_eq!(run("hi $name"), ("hi ann".to_owned(), 0));
        assert_eq!(run("printf unfinished; cat"), ("unfinished".to_owned(), 0));
        assert_eq!(run("cd /; ls /nowhere-at-all >/dev/null 2>&1").1, 2);
        assert_eq!(run("echo told >&2"), ("told".to_owned(), 0));
        assert_eq!(shell.folder().unwrap(), PathBuf::from("/"));
    }
}
