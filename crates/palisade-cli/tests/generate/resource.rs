//! What `palisade generate resource` writes, shows and leaves.

use std::fs;
use std::path::Path;
use std::process::Command as Program;

use assert_cmd::Command;

use crate::harness::*;

#[test]
fn writes_a_resource_and_names_it_where_it_must_be_named() {
    let service = Service::new();
    insta::assert_snapshot!("wrote", service.done(TASK));
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
    let mut words = TASK.to_vec();
    words.push("--dry-run");
    shown.write("diff", &shown.done(&words));
    let patch = Program::new("patch")
        .args(["-p1", "-s", "-i", "diff"])
        .current_dir(&shown.root)
        .status();
    // Not every machine has the program.
    let Ok(status) = patch else { return };
    assert!(status.success());
    done.done(TASK);
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
    service.done(TASK);
    let before = service.files();
    insta::assert_snapshot!("twice", service.done(TASK));
    assert_eq!(service.files(), before);
    let shown = service.done(&[TASK, &["--dry-run"]].concat());
    assert_eq!(shown, service.done(TASK));
    // What is lacking is written again.
    fs::remove_file(service.root.join("tests/api/tasks.rs")).unwrap();
    service.done(TASK);
    assert_eq!(service.files(), before);
}

#[test]
fn what_is_there_and_different_is_refused_whole() {
    let service = Service::new();
    service.done(TASK);
    let mut cases = Vec::new();
    for file in [
        "src/tasks.rs",
        "tests/api/tasks.rs",
        "migrations/0002_tasks.sql",
    ] {
        let text = service.read(file);
        service.write(file, &format!("{text}\n"));
        cases.push(service.refused(TASK));
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
fn leaves_nothing_half_written() {
    let service = Service::new();
    fs::remove_dir_all(service.root.join("migrations")).unwrap();
    service.write("migrations", "a file where the folder should be");
    let said = service.refused(TASK);
    let begin = "`migrations/0001_tasks.sql` could not be written, so nothing was: ";
    assert!(said.err.starts_with(begin), "{}", said.err);
    assert_eq!(said.code, Some(1));
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
