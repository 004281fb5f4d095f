//! What the command refuses: the exact text, the exit code, and nothing half written.

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use tempfile::{TempDir, tempdir};

fn palisade(folder: &Path) -> Command {
    let mut command = Command::cargo_bin("palisade").unwrap();
    command.current_dir(folder);
    command
}

/// Runs `palisade new NAME` and compares everything that it leaves.
fn check(folder: &TempDir, name: &str, code: i32, text: &str) {
    let before = entries(folder.path());
    let output = palisade(folder.path())
        .args(["new", name])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), format!("{text}\n"));
    assert_eq!(output.status.code(), Some(code));
    assert_eq!(output.stdout, b"");
    assert_eq!(entries(folder.path()), before, "something was left behind");
}

fn entries(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn refuses_names_that_cannot_be_a_crate() {
    let folder = tempdir().unwrap();
    let letters = "use the letters a to z, digits, `-` and `_`";
    let taken = "it already names something that a build needs";
    let keyword = "it is a keyword of Rust";
    for (name, wrong) in [
        (
            "1st",
            "it begins with a digit, and a crate's name begins with a letter",
        ),
        ("_hidden", "a crate's name begins with a letter"),
        ("grüße", letters),
        ("two words", letters),
        ("a.b", letters),
        ("match", keyword),
        ("Self", keyword),
        ("gen", keyword),
        ("test", taken),
        ("core", taken),
        ("std", taken),
        ("palisade", taken),
        ("proc-macro", taken),
        ("NUL", taken),
    ] {
        check(
            &folder,
            name,
            2,
            &format!("`{name}` cannot be a service's name: {wrong}."),
        );
    }
    let long = "a".repeat(65);
    check(
        &folder,
        &long,
        2,
        &format!("`{long}` cannot be a service's name: it is longer than 64 letters."),
    );
    check(
        &folder,
        "..",
        2,
        "`..` has no name at its end: give a folder to make, such as `hello`.",
    );
    check(
        &folder,
        "/",
        2,
        "`/` has no name at its end: give a folder to make, such as `hello`.",
    );
}

#[test]
fn refuses_a_folder_that_is_taken() {
    let folder = tempdir().unwrap();
    fs::create_dir(folder.path().join("full")).unwrap();
    fs::write(folder.path().join("full/mine"), "").unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    check(
        &folder,
        "full",
        1,
        "`full` is not empty: choose another name, or empty it first.",
    );
    check(&folder, "file", 1, "`file` is a file: choose another name.");
    check(
        &folder,
        "nowhere/hello",
        1,
        "There is no folder `nowhere`: make it first.",
    );
    assert_eq!(entries(&folder.path().join("full")), ["mine"]);
}

/// The administrator may write anywhere, so a file system that takes no files stands for what a user may not write.
#[cfg(target_os = "linux")]
#[test]
fn refuses_a_folder_that_cannot_be_written() {
    let folder = tempdir().unwrap();
    check(
        &folder,
        "/proc/hello",
        1,
        "Nothing was written to `/proc`: it takes no files.",
    );
}

#[test]
fn refuses_to_begin_without_cargo() {
    let folder = tempdir().unwrap();
    let output = palisade(folder.path())
        .args(["new", "hello"])
        .env("PATH", folder.path())
        .output()
        .unwrap();
    let text = "`cargo` is not in PATH: install Rust from https://rustup.rs first.\n";
    assert_eq!(String::from_utf8_lossy(&output.stderr), text);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(entries(folder.path()), Vec::<String>::new());
}

#[test]
fn refuses_a_checkout_that_is_none() {
    let folder = tempdir().unwrap();
    let arguments = ["new", "hello", "--path-to-palisade", "."];
    let output = palisade(folder.path()).args(arguments).output().unwrap();
    let text = "There is no palisade in `.`: name a checkout of it.\n";
    assert_eq!(String::from_utf8_lossy(&output.stderr), text);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(entries(folder.path()), Vec::<String>::new());
}

#[test]
fn explains_a_code_and_names_the_nearest_of_an_unknown_one() {
    let folder = tempdir().unwrap();
    let explain = |code: &str| {
        palisade(folder.path())
            .args(["explain", code])
            .output()
            .unwrap()
    };
    let known = explain("p0601");
    let text = String::from_utf8_lossy(&known.stdout).into_owned();
    assert!(known.status.success());
    assert!(
        text.starts_with("P0601: a secret has no text form\n\nWhy\n"),
        "{text}"
    );
    assert!(!text.contains("```"), "{text}");

    let unknown = explain("P0699");
    assert_eq!(unknown.status.code(), Some(1));
    let text = String::from_utf8_lossy(&unknown.stderr).into_owned();
    assert!(
        text.starts_with("There is no code `P0699`; the nearest is `P06"),
        "{text}"
    );

    let none = explain("E0277");
    assert_eq!(none.status.code(), Some(2));
    assert_eq!(
        String::from_utf8_lossy(&none.stderr),
        "`E0277` is not a code; they look like `P0201`.\n"
    );
}
