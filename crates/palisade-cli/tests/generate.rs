//! `palisade generate` and `palisade destroy`: what they write, what they leave, what they refuse.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command as Program;

use assert_cmd::Command;
use tempfile::{TempDir, tempdir};

const NOTE: &[&str] = &[
    "generate",
    "resource",
    "task",
    "title:text:1..200",
    "due:date?",
    "--owner",
    "account",
];

/// A new service in a folder with a blank in its name.
struct Service {
    _folder: TempDir,
    root: PathBuf,
}

/// A field of every kind, with bounds and without, there and optional.
const EVERYTHING: &[&str] = &[
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
    "offset_days:int:-30..30?",
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
    "mails:set:email:..5?",
    "levels:set:int:0..9:..3",
];

/// What a command said, and how it ended.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    out: String,
    err: String,
    code: Option<i32>,
}

impl Service {
    fn new() -> Self {
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

    fn run(&self, words: &[&str]) -> Said {
        palisade(&self.root, words)
    }

    /// Runs it; the output when it succeeds.
    fn done(&self, words: &[&str]) -> String {
        let said = self.run(words);
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{words:?}");
        said.out
    }

    /// Runs it; what it said when it is refused and no file was touched.
    fn refused(&self, words: &[&str]) -> Said {
        let before = self.files();
        let said = self.run(words);
        assert_eq!(said.out, "", "{words:?}");
        assert_ne!(said.code, Some(0), "{words:?}");
        assert_eq!(self.files(), before, "{words:?} left something");
        said
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.root.join(name)).unwrap()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.root.join(name), text).unwrap();
    }

    /// Replaces what must be there.
    fn replace(&self, name: &str, from: &str, to: &str) {
        let text = self.read(name);
        assert!(text.contains(from), "{name} has no {from}");
        self.write(name, &text.replace(from, to));
    }

    /// Every file with its text.
    fn files(&self) -> BTreeMap<PathBuf, String> {
        let mut files = BTreeMap::new();
        gather(&self.root, &mut files);
        files
    }

    /// What rustfmt would change.
    fn misformatted(&self, files: &[String]) -> String {
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

fn palisade(folder: &Path, words: &[&str]) -> Said {
    let mut command = Command::cargo_bin("palisade").unwrap();
    let output = command.current_dir(folder).args(words).output().unwrap();
    Said {
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
        code: output.status.code(),
    }
}

/// Each command with what it says, for a snapshot.
fn told(cases: &[&[&str]], run: impl Fn(&[&str]) -> Said) -> String {
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

#[test]
fn writes_a_resource_and_names_it_where_it_must_be_named() {
    let service = Service::new();
    insta::assert_snapshot!("wrote", service.done(NOTE));
    insta::assert_snapshot!("migration", service.read("migrations/0002_tasks.sql"));
    insta::assert_snapshot!("module", service.read("src/tasks.rs"));
    insta::assert_snapshot!("tests", service.read("tests/api/tasks.rs"));
    insta::assert_snapshot!("main", service.read("src/main.rs"));
    assert!(
        service
            .read("tests/api/main.rs")
            .contains("mod server;\nmod tasks;\n")
    );
}

#[test]
fn what_belongs_to_nobody_wants_a_permission() {
    let service = Service::new();
    let words = [
        "g",
        "resource",
        "country",
        "name:text:1..80",
        "--unowned",
        "the same for everybody",
    ];
    insta::assert_snapshot!("unowned_wrote", service.done(&words));
    insta::assert_snapshot!(
        "unowned_migration",
        service.read("migrations/0002_countries.sql")
    );
    insta::assert_snapshot!("unowned_module", service.read("src/countries.rs"));
    insta::assert_snapshot!("unowned_tests", service.read("tests/api/countries.rs"));
    insta::assert_snapshot!("unowned_main", service.read("src/main.rs"));
}

#[test]
fn shows_a_diff_and_writes_nothing() {
    let service = Service::new();
    let before = service.files();
    let words = [
        "g",
        "resource",
        "country",
        "name:text:1..80",
        "--unowned",
        "the same for everybody",
        "--dry-run",
    ];
    let diff = service.done(&words);
    assert_eq!(service.files(), before);
    insta::assert_snapshot!("dry_run", diff);
}

#[test]
fn the_diff_is_what_patch_applies() {
    let (shown, done) = (Service::new(), Service::new());
    let mut words = NOTE.to_vec();
    words.push("--dry-run");
    shown.write("diff", &shown.done(&words));
    let patch = Program::new("patch")
        .args(["-p1", "-s", "-i", "diff"])
        .current_dir(&shown.root)
        .status();
    // Not every machine has the program.
    let Ok(status) = patch else { return };
    assert!(status.success());
    done.done(NOTE);
    for file in [
        "src/main.rs",
        "src/tasks.rs",
        "tests/api/main.rs",
        "tests/api/tasks.rs",
        "migrations/0002_tasks.sql",
    ] {
        assert_eq!(shown.read(file), done.read(file), "{file}");
    }
}

#[test]
fn twice_is_safe() {
    let service = Service::new();
    service.done(NOTE);
    let before = service.files();
    insta::assert_snapshot!("twice", service.done(NOTE));
    assert_eq!(service.files(), before);
    // What is lacking is written again.
    fs::remove_file(service.root.join("tests/api/tasks.rs")).unwrap();
    service.done(NOTE);
    assert_eq!(service.files(), before);
}

#[test]
fn what_is_there_and_different_is_refused_whole() {
    let service = Service::new();
    service.done(NOTE);
    let mut cases = Vec::new();
    for file in [
        "src/tasks.rs",
        "tests/api/tasks.rs",
        "migrations/0002_tasks.sql",
    ] {
        let text = service.read(file);
        service.write(file, &format!("{text}\n"));
        cases.push(service.refused(NOTE));
        service.write(file, &text);
    }
    let other = [
        "g",
        "resource",
        "task",
        "title:text:1..100",
        "--owner",
        "account",
    ];
    cases.push(service.refused(&other));
    for (said, file) in cases.iter().zip([
        "src/tasks.rs",
        "tests/api/tasks.rs",
        "migrations/0002_tasks.sql",
        "migrations/0002_tasks.sql",
    ]) {
        let text = format!(
            "`{file}` is there already and says something else: move it away, or choose another name. Nothing was written.\n"
        );
        assert_eq!((said.err.as_str(), said.code), (text.as_str(), Some(1)));
    }
}

#[test]
fn is_found_from_any_folder_of_the_service_and_nowhere_else() {
    let service = Service::new();
    assert_eq!(
        palisade(&service.root.join("tests/api"), NOTE).code,
        Some(0)
    );
    assert!(service.root.join("src/tasks.rs").exists());

    let nowhere = tempdir().unwrap();
    fs::write(
        nowhere.path().join("Cargo.toml"),
        "[package]\nname = \"x\"\n",
    )
    .unwrap();
    let said = palisade(nowhere.path(), NOTE);
    assert_eq!(said.code, Some(1));
    let end = "is in no palisade service: go into one, or make one with `palisade new hello`.\n";
    assert!(said.err.ends_with(end), "{}", said.err);
    service.write("Cargo.toml", "[dependencies\n");
    assert!(service.refused(NOTE).err.contains("cannot be read as TOML"));
}

#[test]
fn refuses_names_and_fields_with_a_mark_under_what_is_wrong() {
    let service = Service::new();
    let owned = |field: &'static str| ["g", "resource", "task", field, "--owner", "account"];
    let fields = [
        "title",
        "title:",
        "title:txt:1..200",
        "title:zebra",
        "title:text",
        "title:text:200",
        "title:text:1..",
        "title:text:a..9",
        "title:text:9..1",
        "title:text:0..0",
        "title:text:1..200:5",
        "title:text:1..2000000",
        "body:richtext:1..100",
        "body:richtext",
        "due?:date",
        "due:date:1..2",
        "stars:int",
        "stars:int:..5",
        "stars:int:1..x",
        "stars:int:5..1",
        "score:float:0..1?",
        "score:float:0..inf",
        "state:choice",
        "state:choice:draft",
        "state:choice:draft,draft",
        "state:choice:draft,In Review",
        "state:choice:a,self",
        "tags:set",
        "tags:set:slug",
        "tags:set:slug:1..10",
        "tags:set:text:1..80",
        "tags:set:url:..10",
        "tags:list:list:slug:..2:..3",
        "tags:list:float:0..1:..3",
        "id:slug",
        "owner_id:slug",
        "created_at:date",
        "type:slug",
        "match:slug",
        "order:int:1..5",
        "Title:slug",
        "dueDate:date",
        "a__b:date",
        "_a:date",
        "größe:slug",
        "an_extraordinarily_long_name_of_a_single_field:date",
    ];
    let words: Vec<_> = fields.into_iter().map(owned).collect();
    let cases: Vec<&[&str]> = words.iter().map(|words| &words[..]).collect();
    let text = told(&cases, |words| {
        let said = service.refused(words);
        assert_eq!(said.code, Some(2));
        said
    });
    insta::assert_snapshot!("refused_fields", text);
}

#[test]
fn refuses_what_cannot_name_a_resource_and_what_does_not_say_whose_it_is() {
    let service = Service::new();
    let name = |name: &'static str| vec!["g", "resource", name, "a:date", "--owner", "account"];
    let mut cases: Vec<Vec<&str>> = [
        "Note",
        "note-book",
        "match",
        "account",
        "page",
        "tasks",
        "item_2",
        "palisade_thing",
        "a_name_that_is_longer_than_any_line",
    ]
    .into_iter()
    .map(name)
    .collect();
    for plural in ["order", "auth", "impl", "Tasks", "server"] {
        cases.push(vec![
            "g", "resource", "task", "a:date", "--owner", "account", "--plural", plural,
        ]);
    }
    cases.push(vec!["g", "resource", "task", "--owner", "account"]);
    cases.push(vec![
        "g", "resource", "task", "a:date", "a:slug", "--owner", "account",
    ]);
    cases.push(vec![
        "g",
        "resource",
        "task",
        "edit:choice:a,b",
        "--owner",
        "account",
    ]);
    cases.push(vec!["g", "resource", "task", "a:date"]);
    cases.push(vec!["g", "resource", "task", "a:date", "--owner", "team"]);
    cases.push(vec!["g", "resource", "task", "a:date", "--unowned", "why"]);
    cases.push(vec![
        "g",
        "resource",
        "task",
        "a:date",
        "--unowned",
        "it \"belongs\" to nobody",
    ]);
    let cases: Vec<&[&str]> = cases.iter().map(|words| &words[..]).collect();
    let text = told(&cases, |words| {
        let said = service.refused(words);
        assert_eq!(said.code, Some(2));
        said
    });
    insta::assert_snapshot!("refused_names", text);
}

#[test]
fn comments_and_format_of_its_owner_stay() {
    let service = Service::new();
    let main = "\
//! Mine.

// Both of them.
mod admin; // for us
mod zebras;   // last

use palisade::prelude::*;

mod inside { pub fn f() {} }

#[palisade::main]
async fn main() -> Result<App, Refusal> {
    let odd = [1,2,
               3];
    // Put together here.
    App::from_env::<Settings>()?
        .migrations(migrations!(\"migrations\")) // the schema
        .routes(auth::routes())
        // what everybody sees
        .routes(admin::routes()) // ours
        // and that is it
        .build()
}
";
    service.write("src/main.rs", main);
    service.done(NOTE);
    let expected = main
        .replace(
            "mod admin; // for us\n",
            "mod admin; // for us\nmod tasks;\n",
        )
        .replace("// ours\n", "// ours\n        .routes(tasks::routes())\n");
    assert_eq!(service.read("src/main.rs"), expected);
    service.done(&["destroy", "resource", "task"]);
    assert_eq!(service.read("src/main.rs"), main);
}

#[test]
fn finds_the_places_however_they_are_written() {
    let chain =
        "App::from_env::<S>()?.migrations(migrations!(\"sql\")).routes(auth::routes()).build()";
    let app = |head: &str, chain: &str| {
        format!("{head}async fn main() -> Result<App, Refusal> {{\n    {chain}\n}}\n")
    };
    let added = chain.replace(".build", ".routes(tasks::routes()).build");
    for (before, after) in [
        // One line, the migrations in another folder.
        (
            app("mod b;\n\n", chain),
            app("mod b;\nmod tasks;\n\n", &added),
        ),
        // Ends of lines as Windows has them, and a byte order mark.
        (
            app("\u{feff}mod b;\n\n", chain).replace('\n', "\r\n"),
            app("\u{feff}mod b;\nmod tasks;\n\n", &added).replace('\n', "\r\n"),
        ),
        // No module yet.
        (
            app(
                "//! Mine.\n\n// The paved path.\nuse palisade::prelude::*;\n\n",
                chain,
            ),
            app(
                "//! Mine.\n\nmod tasks;\n\n// The paved path.\nuse palisade::prelude::*;\n\n",
                &added,
            ),
        ),
        // Before the first one, which has a comment.
        (
            app("// The zoo.\n#[cfg(unix)]\nmod zebras;\n\n", chain),
            app(
                "mod tasks;\n// The zoo.\n#[cfg(unix)]\nmod zebras;\n\n",
                &added,
            ),
        ),
        // By hand already.
        (app("mod tasks;\n\n", &added), app("mod tasks;\n\n", &added)),
    ] {
        let service = Service::new();
        service.write("src/main.rs", &before);
        service.done(NOTE);
        assert_eq!(service.read("src/main.rs"), after);
        assert!(service.root.join("sql/0001_tasks.sql").exists());
    }
}

#[test]
fn an_app_without_migrations_gets_them() {
    let service = Service::new();
    service.replace(
        "src/main.rs",
        "        .migrations(migrations!(\"migrations\"))\n",
        "",
    );
    service.replace(
        "src/main.rs",
        "        .routes(auth::routes())\n        .routes(notes::routes())\n",
        "",
    );
    service.done(NOTE);
    let chain = "\
    App::from_env::<Settings>()?
        .migrations(migrations!(\"migrations\"))
        .routes(tasks::routes())
        .build()
";
    assert!(
        service.read("src/main.rs").contains(chain),
        "{}",
        service.read("src/main.rs")
    );
}

#[test]
fn refuses_when_the_place_cannot_be_found() {
    let service = Service::new();
    let main = service.read("src/main.rs");
    let mut text = String::new();
    let refused = |text: &mut String| {
        let said = service.refused(NOTE);
        assert_eq!(said.code, Some(1));
        text.push_str(&said.err);
    };
    for (from, to) in [
        ("        .build()", "        .finish()"),
        ("mod notes;", "mod notes;\nmod tasks { }"),
        ("mod notes;", "mod notes"),
        (
            "#[palisade::main]",
            "fn other() { App::from_env::<Settings>()?.build() }\n#[palisade::main]",
        ),
    ] {
        service.write("src/main.rs", &main.replace(from, to));
        refused(&mut text);
    }
    fs::remove_file(service.root.join("src/main.rs")).unwrap();
    let said = service.refused(NOTE);
    assert!(
        said.err.starts_with("There is no `src/main.rs` in `"),
        "{}",
        said.err
    );
    service.write("src/main.rs", &main);

    let tests = service.read("tests/api/main.rs");
    for (from, to) in [("fn sign_in", "fn log_in"), ("mod server;", "")] {
        service.write("tests/api/main.rs", &tests.replace(from, to));
        refused(&mut text);
    }
    service.write("tests/api/main.rs", &tests);
    fs::create_dir(service.root.join("src/tasks")).unwrap();
    service.write("src/tasks/mod.rs", "");
    refused(&mut text);
    insta::assert_snapshot!("refused_places", text);
}

#[test]
fn leaves_nothing_half_written() {
    let service = Service::new();
    fs::remove_dir_all(service.root.join("migrations")).unwrap();
    service.write("migrations", "a file where the folder should be");
    let said = service.refused(NOTE);
    let begin = "`migrations/0001_tasks.sql` could not be written, so nothing was: ";
    assert!(said.err.starts_with(begin), "{}", said.err);
    assert_eq!(said.code, Some(1));
}

#[cfg(unix)]
#[test]
fn a_file_keeps_its_mode_and_a_link_stays_one() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let service = Service::new();
    let main = service.root.join("src/main.rs");
    let mine = service.root.join("mine.rs");
    fs::rename(&main, &mine).unwrap();
    fs::set_permissions(&mine, fs::Permissions::from_mode(0o640)).unwrap();
    symlink("../mine.rs", &main).unwrap();
    service.done(NOTE);
    assert!(fs::symlink_metadata(&main).unwrap().is_symlink());
    assert_eq!(
        fs::metadata(&mine).unwrap().permissions().mode() & 0o777,
        0o640
    );
    assert!(service.read("mine.rs").contains("mod tasks;"));
}

#[test]
fn is_formatted_whatever_the_names_are() {
    let service = Service::new();
    let mut files = Vec::new();
    let fields = [
        "title:text:1..200",
        "body:richtext:..10000?",
        "stars:int:1..5",
        "tags:set:text:1..100:..10?",
    ];
    for length in 1..=28 {
        for (letter, owner) in [
            ("b", "--owner=account"),
            ("c", "--unowned=the same for everybody who is here"),
        ] {
            let name = letter.repeat(length);
            let count = length % fields.len() + 1;
            let mut words = vec!["g", "resource", &name, owner];
            words.extend(&fields[..count]);
            service.done(&words);
            files.push(format!("src/{name}s.rs"));
            files.push(format!("tests/api/{name}s.rs"));
        }
    }
    for length in 1..=28 {
        let (name, field) = (
            "d".repeat(length),
            format!("{}:bool", "e".repeat(length + 12)),
        );
        service.done(&[
            "g",
            "resource",
            &name,
            "--owner=account",
            &field,
            "done:bool",
        ]);
        files.push(format!("tests/api/{name}s.rs"));
    }
    let long = [
        "g",
        "resource",
        "one",
        "--owner=account",
        "a_name_that_is_forty_letters_long_all_in:list:text:1..100000:..100000?",
    ];
    service.done(&long);
    files.push("src/ones.rs".to_owned());
    files.push("tests/api/ones.rs".to_owned());
    files.push("src/main.rs".to_owned());
    assert_eq!(service.misformatted(&files), "");
}

/// The framework's own tests run it on PostgreSQL, `cargo xtask test new-service` on SQLite; `PALISADE_ACCEPT=1` writes it anew.
#[test]
fn what_the_framework_tests_is_what_is_written() {
    let service = Service::new();
    let mut words = vec!["g", "resource", "everything"];
    words.extend(EVERYTHING);
    words.push("--owner=account");
    service.done(&words);
    let tested = Path::new(env!("CARGO_MANIFEST_DIR")).join("../palisade/tests/generated");
    for (written, tested) in [
        ("src/everythings.rs", tested.join("everythings.rs")),
        (
            "tests/api/everythings.rs",
            tested.join("everythings_tests.rs"),
        ),
        (
            "migrations/0002_everythings.sql",
            tested.join("migrations/0001_everythings.sql"),
        ),
    ] {
        let text = service.read(written);
        if std::env::var_os("PALISADE_ACCEPT").is_some() {
            fs::write(&tested, &text).unwrap();
        }
        assert_eq!(fs::read_to_string(&tested).unwrap(), text, "{written}");
    }
}

#[test]
fn takes_back_what_nobody_changed() {
    let service = Service::new();
    let before = service.files();
    for words in [
        NOTE,
        &[
            "g",
            "resource",
            "man",
            "name:text:1..80",
            "score:float:0..5",
            "--unowned",
            "the same for everybody",
            "--plural",
            "folk",
        ],
    ] {
        service.done(words);
    }
    let dry = service.files();
    let shown = service.done(&["destroy", "resource", "task", "--dry-run"]);
    assert!(
        shown.contains("--- a/src/tasks.rs\n+++ /dev/null\n"),
        "{shown}"
    );
    assert_eq!(service.files(), dry);
    insta::assert_snapshot!("destroyed", service.done(&["destroy", "resource", "task"]));
    service.done(&["destroy", "resource", "man", "--plural", "folk"]);
    let mut after = service.files();
    for table in ["0002_tasks", "0003_folk"] {
        let file = service.root.join(format!("migrations/{table}.sql"));
        assert!(after.remove(&file).is_some(), "{table} was taken away");
    }
    assert_eq!(after, before);
    // And once more from the beginning: the migration that stayed is taken as it is.
    assert!(
        service
            .done(NOTE)
            .contains("kept     migrations/0002_tasks.sql\n")
    );
}

#[test]
fn what_was_changed_stays_and_is_named() {
    let service = Service::new();
    let destroy = ["destroy", "resource", "task"];
    let mut text = service.refused(&destroy).err;
    service.done(NOTE);
    let module = service.read("src/tasks.rs");
    for (from, to) in [("30/min", "5/min"), ("//! Made by", "//! Written by")] {
        service.write("src/tasks.rs", &module.replace(from, to));
        text += &service.refused(&destroy).err;
    }
    service.write("src/tasks.rs", &module);
    service.replace(
        "src/main.rs",
        "#[settings]",
        "fn other() { tasks::other() }\n#[settings]",
    );
    text += &service.refused(&destroy).err;
    service.replace("src/main.rs", "fn other() { tasks::other() }\n", "");

    service.replace("tests/api/tasks.rs", "\"one title\"", "\"my title\"");
    text += &service.done(&destroy);
    insta::assert_snapshot!("stays", text);
    assert!(service.root.join("tests/api/tasks.rs").exists());
    assert!(service.read("tests/api/main.rs").contains("mod tasks;"));
    assert!(!service.root.join("src/tasks.rs").exists());
}

#[test]
fn colour_is_only_for_a_terminal() {
    let service = Service::new();
    let words = ["g", "resource", "task", "a:dat", "--owner", "account"];
    assert!(!service.refused(&words).err.contains('\u{1b}'));
    let mut command = Command::cargo_bin("palisade").unwrap();
    command
        .current_dir(&service.root)
        .args(words)
        .env("CLICOLOR_FORCE", "1");
    let forced = command.output().unwrap();
    assert!(String::from_utf8_lossy(&forced.stderr).contains("\u{1b}[1m\u{1b}[31m^^^\u{1b}[0m"));
}
