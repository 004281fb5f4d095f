//! What the command writes.

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use saphyr::{LoadableYamlNode as _, Yaml};
use tempfile::tempdir;

fn write(folder: &Path, name: &str) {
    let mut command = Command::cargo_bin("palisade").unwrap();
    command
        .current_dir(folder)
        .args(["new", name])
        .assert()
        .success();
}

#[test]
fn writes_a_whole_service_and_nothing_beside_it() {
    let folder = tempdir().unwrap();
    write(folder.path(), "hello");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    for file in [
        ".dockerignore",
        ".env",
        ".github/dependabot.yml",
        ".github/workflows/ci.yml",
        ".gitignore",
        "Cargo.lock",
        "Cargo.toml",
        "Containerfile",
        "README.md",
        "deny.toml",
        "migrations/0001_notes.sql",
        "palisade.toml",
        "src/main.rs",
        "src/notes.rs",
        "tests/api/main.rs",
        "tests/api/server.rs",
    ] {
        let text = fs::read_to_string(folder.path().join("hello").join(file)).unwrap();
        assert!(!text.is_empty() && text.ends_with('\n'), "{file}");
        assert!(
            file == "README.md" || !text.contains("{{ name"),
            "{file} holds what was to be rendered"
        );
    }
    let manifest = fs::read_to_string(folder.path().join("hello/Cargo.toml")).unwrap();
    assert!(
        manifest.contains("name = \"hello\"") && manifest.contains("path = \""),
        "{manifest}"
    );
    let ignored = fs::read_to_string(folder.path().join("hello/.gitignore")).unwrap();
    assert!(ignored.lines().any(|line| line == ".env"));
}

#[test]
fn each_service_has_its_own_key_that_only_its_user_reads() {
    let folder = tempdir().unwrap();
    let key = |name: &str| {
        write(folder.path(), name);
        let file = folder.path().join(name).join(".env");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(
                fs::metadata(&file).unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
        let text = fs::read_to_string(file).unwrap();
        let key = text
            .lines()
            .find_map(|line| line.strip_prefix("PALISADE_SECRET_KEY=dev_"))
            .unwrap();
        assert_eq!(key.len(), 64);
        key.to_owned()
    };
    assert_ne!(key("one"), key("two"));
}

#[test]
fn takes_an_empty_folder_and_a_checkout_by_its_root() {
    let folder = tempdir().unwrap();
    fs::create_dir(folder.path().join("hello")).unwrap();
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut command = Command::cargo_bin("palisade").unwrap();
    command
        .current_dir(folder.path())
        .args(["new", "./hello/", "--path-to-palisade"])
        .arg(&checkout)
        .assert()
        .success();
    let manifest = fs::read_to_string(folder.path().join("hello/Cargo.toml")).unwrap();
    let path = checkout.join("crates/palisade").canonicalize().unwrap();
    assert!(
        manifest.contains(&format!("palisade = {{ path = {:?} }}", path)),
        "{manifest}"
    );
}

#[test]
fn its_ci_checks_format_lints_tests_and_vulnerabilities_with_the_committed_lock_file() {
    let folder = tempdir().unwrap();
    write(folder.path(), "hello");
    let text = |file: &str| fs::read_to_string(folder.path().join("hello").join(file)).unwrap();
    let workflow = text(".github/workflows/ci.yml");
    let parsed = Yaml::load_from_str(&workflow).unwrap();
    let mut commands = Vec::new();
    for job in ["test", "audit"] {
        let steps = parsed[0]["jobs"][job]["steps"].as_sequence().unwrap();
        commands.extend(
            steps
                .iter()
                .filter_map(|step| step.as_mapping_get("run")?.as_str()),
        );
    }
    for command in [
        "cargo fmt --check",
        "cargo clippy --locked --all-targets -- -D warnings",
        "cargo test --locked",
        "cargo deny --locked check",
    ] {
        assert!(commands.contains(&command), "{command}: {commands:?}");
    }
    assert_eq!(parsed[0]["permissions"]["contents"].as_str(), Some("read"));
    assert!(parsed[0]["on"]["schedule"].as_sequence().is_some());

    let updates = text(".github/dependabot.yml");
    let updates = Yaml::load_from_str(&updates).unwrap();
    assert_eq!(
        updates[0]["updates"][0]["package-ecosystem"].as_str(),
        Some("cargo")
    );

    let deny: toml::Table = text("deny.toml").parse().unwrap();
    assert_eq!(deny["advisories"]["yanked"].as_str(), Some("deny"));
    assert_eq!(deny["sources"]["unknown-git"].as_str(), Some("deny"));
}
