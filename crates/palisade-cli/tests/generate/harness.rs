//! A new service, and what a command says and does in it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command as Program;

use assert_cmd::Command;
use tempfile::TempDir;

pub(crate) const TASK: &[&str] = &[
    "generate",
    "resource",
    "task",
    "title:text:1..200",
    "due:date?",
    "--owner",
    "account",
];

/// A new service in a folder with a blank in its name.
pub(crate) struct Service {
    _folder: TempDir,
    pub(crate) root: PathBuf,
}

/// A field of every kind, with bounds and without, there and optional.
pub(crate) const EVERYTHING: &[&str] = &[
    "title:text:1..200",
    "summary:text:..2000?",
    "body:richtext:..10000",
    "footnote:richtext:..500?",
    "contact:email",
    "backup:email?",
    "handle:slug",
    "alias:slug?",
    "homepage:url",
    "mirror:url?",
    "done:bool",
    "pinned:bool?",
    "due:date",
    "ended:date?",
    "starts_at:timestamp",
    "ends_at:timestamp?",
    "stars:int:1..5",
    "bytes:int:-30..5000000000?",
    "rating:float:0.5..5.0",
    "status:choice:draft,in_review,sent",
    "mood:choice:good,bad?",
    "lines:list:text:1..80:..20",
    "hints:list:url:..3?",
    "tags:set:slug:..10",
    "days:set:date:..7?",
    "ports:list:int:1..65535:..4",
    "flags:list:bool:..8",
    "notes:list:richtext:..100:..5",
    "moments:set:timestamp:..5",
    "score:float:-1..1?",
    "levels:set:int:0..9:..3",
];

/// What a command said, and how it ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) code: Option<i32>,
}

impl Service {
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("a service ")
            .tempdir()
            .unwrap();
        palisade(folder.path(), &["new", "hello"]);
        Self {
            root: folder.path().join("hello"),
            _folder: folder,
        }
    }

    pub(crate) fn run(&self, words: &[&str]) -> Said {
        palisade(&self.root, words)
    }

    /// Runs it; the output when it succeeds.
    pub(crate) fn done(&self, words: &[&str]) -> String {
        let said = self.run(words);
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{words:?}");
        said.out
    }

    /// Runs it; what it said when it is refused and no file was touched.
    pub(crate) fn refused(&self, words: &[&str]) -> Said {
        let before = self.files();
        let said = self.run(words);
        assert_eq!(said.out, "", "{words:?}");
        assert_ne!(said.code, Some(0), "{words:?}");
        assert_eq!(self.files(), before, "{words:?} left something");
        said
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.root.join(name)).unwrap()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.root.join(name), text).unwrap();
    }

    /// Replaces what must be there.
    pub(crate) fn replace(&self, name: &str, from: &str, to: &str) {
        let text = self.read(name);
        assert!(text.contains(from), "{name} has no {from}");
        self.write(name, &text.replace(from, to));
    }

    /// Every file with its text.
    pub(crate) fn files(&self) -> BTreeMap<PathBuf, String> {
        let mut files = BTreeMap::new();
        gather(&self.root, &mut files);
        files
    }

    /// What rustfmt would change.
    pub(crate) fn misformatted(&self, files: &[String]) -> String {
        let mut rustfmt = Program::new("rustfmt");
        rustfmt.args(["--edition", "2024", "--check"]).args(files);
        let output = rustfmt.current_dir(&self.root).output().unwrap();
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    }
}

fn gather(folder: &Path, files: &mut BTreeMap<PathBuf, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            gather(&path, files);
        } else {
            files.insert(path.clone(), fs::read_to_string(&path).unwrap());
        }
    }
}

pub(crate) fn palisade(folder: &Path, words: &[&str]) -> Said {
    let mut command = Command::cargo_bin("palisade").unwrap();
    let output = command.current_dir(folder).args(words).output().unwrap();
    Said {
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
        code: output.status.code(),
    }
}

/// Each command with what it says, for a snapshot.
pub(crate) fn told(cases: &[&[&str]], run: impl Fn(&[&str]) -> Said) -> String {
    let mut text = String::new();
    for words in cases {
        let said = run(words);
        let code = said.code.unwrap();
        let _ = writeln!(
            text,
            "$ palisade {}\n{}[{code}]\n",
            words.join(" "),
            said.err
        );
    }
    text
}
