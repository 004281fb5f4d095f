//! `palisade secret`, and what a shell and a manual reader get.

use std::fs;

use assert_cmd::Command;
use tempfile::tempdir;

fn palisade() -> Command {
    Command::cargo_bin("palisade").unwrap()
}

fn output(mut command: Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn prints_a_key_and_another_one_each_time() {
    let key = |words: &[&str]| {
        let mut command = palisade();
        command.arg("secret").args(words);
        output(command).trim_end().to_owned()
    };
    let (one, two) = (key(&[]), key(&[]));
    assert_ne!(one, two);
    assert!(one.len() == 64 && one.bytes().all(|digit| digit.is_ascii_hexdigit()));
    assert_eq!(key(&["--development"]).len(), 68);
}

#[test]
fn rotates_the_key_of_a_file_that_only_its_user_reads() {
    let folder = tempdir().unwrap();
    let file = folder.path().join(".env");
    fs::write(&file, "PALISADE_SECRET_KEY=dev_one\n").unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    }
    let run = |task: &str| {
        let mut command = palisade();
        command
            .current_dir(folder.path())
            .args(["secret", task])
            .output()
            .unwrap()
    };
    assert!(run("rotate").status.success());
    let text = fs::read_to_string(&file).unwrap();
    assert!(
        text.ends_with("\nPALISADE_SECRET_KEY_PREVIOUS=dev_one\n"),
        "{text}"
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
    }
    let again = run("rotate");
    assert_eq!(again.status.code(), Some(1));
    assert_eq!(
        String::from_utf8_lossy(&again.stderr),
        "`.env` holds PALISADE_SECRET_KEY_PREVIOUS already, so a rotation is under way: end it with `palisade secret retire` first.\n"
    );
    assert_eq!(
        fs::read_to_string(&file).unwrap(),
        text,
        "nothing was changed"
    );
    assert!(run("retire").status.success());
    assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 1);
    assert_eq!(
        String::from_utf8_lossy(&run("retire").stderr),
        "`.env` holds no PALISADE_SECRET_KEY_PREVIOUS: there is nothing to retire.\n"
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn says_where_there_is_no_file() {
    let folder = tempdir().unwrap();
    let mut command = palisade();
    let output = command
        .current_dir(folder.path())
        .args(["secret", "rotate"])
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "There is no file `.env`: go to the service's folder, or name the file.\n"
    );
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn completes_its_words_and_has_a_manual_page() {
    let mut command = palisade();
    command.args(["completions", "bash"]);
    assert!(output(command).contains("_palisade()"));
    let mut command = palisade();
    command.arg("man");
    assert!(output(command).contains(".TH palisade 1"));
}
