//! `docs/tutorial.md` followed word by word, in an empty folder.

mod answer;
mod page;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

pub(crate) use answer::given;

use crate::running::{Running, free_port};
use crate::shell::{Shell, terminal};

const PAGE: &str = "docs/tutorial.md";
/// What the page says, and what a test must have in its place: a folder and a port of its own.
const FOLDER: &str = "../shelf";
const ADDRESS: &str = "127.0.0.1:3000";
const SERVE: &str = "cargo run";
const SERVING: &str = "listening on http://";

/// Does what the page says, and compares every answer.
pub(crate) fn check(root: &Path) -> Result<(), String> {
    let page = fs::read_to_string(root.join(PAGE)).map_err(|error| format!("{PAGE}: {error}"))?;
    let steps = page::steps(&page).map_err(|wrong| format!("{PAGE}, {wrong}"))?;
    let mut reader = Reader::new(root)?;
    for (line, step) in steps {
        reader
            .take(step)
            .map_err(|wrong| format!("{PAGE}, line {line}: {wrong}"))?;
    }
    match reader.running {
        Some(_) => Err(format!("{PAGE} never says to end what it started")),
        None => Ok(()),
    }
}

/// Somebody with two terminals.
struct Reader {
    root: PathBuf,
    folder: TempDir,
    port: u16,
    shell: Shell,
    running: Option<Running>,
}

impl Reader {
    fn new(root: &Path) -> Result<Self, String> {
        let folder = tempfile::Builder::new()
            .prefix("tutorial-")
            .tempdir()
            .map_err(|error| format!("no temporary folder: {error}"))?;
        let port = free_port().map_err(|error| format!("no port: {error}"))?;
        let mut sh = terminal(root, root);
        sh.env("PORT", port.to_string());
        Ok(Self {
            root: root.to_owned(),
            folder,
            port,
            shell: Shell::open(sh)?,
            running: None,
        })
    }

    fn take(&mut self, step: page::Step) -> Result<(), String> {
        match step {
            page::Step::Run { commands, answer } => self.run(&commands, &answer),
            page::Step::Write { path, text } => self.write(&path, &text, true),
            page::Step::Append { path, text } => self.write(&path, &format!("\n{text}"), false),
            page::Step::Change { path, diff } => {
                let path = self.shell.folder()?.join(path);
                let told = |error| format!("{}: {error}", path.display());
                let text = fs::read_to_string(&path).map_err(told)?;
                fs::write(&path, answer::changed(&text, &diff)?).map_err(told)
            }
            page::Step::Stop => match self.running.take() {
                Some(running) => running.interrupt(),
                None => Err("Ctrl-C, and nothing runs".to_owned()),
            },
        }
    }

    fn write(&mut self, path: &str, text: &str, new: bool) -> Result<(), String> {
        let path = self.shell.folder()?.join(path);
        OpenOptions::new()
            .append(true)
            .create_new(new)
            .open(&path)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Types the commands; the answer is that of all of them together.
    fn run(&mut self, commands: &[String], answer: &[String]) -> Result<(), String> {
        let answer: Vec<String> = answer.iter().map(|line| self.here(line)).collect();
        let refused = answer
            .first()
            .is_some_and(|line| line.starts_with("error") || line.contains("does not start"));
        let mut all = String::new();
        for (index, command) in commands.iter().enumerate() {
            let command = self.here(command);
            let (said, ok) = if command == SERVE {
                self.serve()?
            } else {
                let outcome = self.shell.run(&command)?;
                (outcome.said, outcome.code == 0)
            };
            let last = index + 1 == commands.len();
            if ok == (refused && last) {
                let word = if ok { "succeeded" } else { "failed" };
                return Err(format!("`{command}` {word}:\n{said}"));
            }
            if ok && said.lines().any(|line| line.starts_with("warning")) {
                return Err(format!("`{command}` warns:\n{said}"));
            }
            all += &format!("{said}\n");
        }
        if answer.is_empty() || answer::given(&all, &answer) {
            return Ok(());
        }
        Err(format!(
            "the answer is another one:\n{all}\nand not:\n{}",
            answer.join("\n")
        ))
    }

    /// Starts the service in the first terminal; a service that ended at once refused to start.
    fn serve(&mut self) -> Result<(String, bool), String> {
        if self.running.is_some() {
            return Err("the page starts a second one while one runs".to_owned());
        }
        let mut command = terminal(&self.root, &self.shell.folder()?);
        command.args(["-c", &format!("exec {SERVE} 2>&1")]);
        command.env("PORT", self.port.to_string());
        let mut running = Running::start(&mut command)?;
        let ended = running.until(SERVING)?;
        let said = running.said();
        if ended.is_none() {
            self.running = Some(running);
        }
        Ok((said, ended.is_none()))
    }

    fn here(&self, text: &str) -> String {
        text.replace(FOLDER, &self.folder.path().join("shelf").to_string_lossy())
            .replace(ADDRESS, &format!("127.0.0.1:{}", self.port))
    }
}
