//! At a terminal: the question whose it is, and colour.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::harness::*;

/// Runs it at a terminal that `script` makes, and types these lines; everything that the terminal showed.
fn at_a_terminal(
    service: &Service,
    words: &str,
    typed: &str,
    variables: &[(&str, &str)],
) -> String {
    let program = env!("CARGO_BIN_EXE_palisade");
    let mut script = Command::new("script");
    script.args([
        "--quiet",
        "--return",
        "--command",
        &format!("'{program}' {words}"),
        "/dev/null",
    ]);
    script
        .current_dir(&service.root)
        .env_remove("NO_COLOR")
        .env("TERM", "xterm");
    script.envs(variables.iter().copied());
    let started = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = started.expect("`script` of util-linux is installed");
    let mut input = child.stdin.take().unwrap();
    input.write_all(typed.as_bytes()).unwrap();
    drop(input);
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}

const QUESTION: &str =
    "Whose is a task? Enter for the account that makes it, or why it belongs to nobody: ";

#[test]
fn asks_whose_it_is_and_takes_enter_for_the_account() {
    let service = Service::new();
    let shown = at_a_terminal(&service, "g resource task title:text:1..200", "\n", &[]);
    assert!(shown.contains(QUESTION), "{shown}");
    assert!(
        service
            .read("src/tasks.rs")
            .contains("owner = \"owner_id\"")
    );
}

#[test]
fn asks_whose_it_is_and_takes_a_reason_for_nobody() {
    let service = Service::new();
    let shown = at_a_terminal(
        &service,
        "g resource task title:text:1..200",
        "everybody shares them\n",
        &[],
    );
    assert!(shown.contains(QUESTION), "{shown}");
    assert!(
        service
            .read("src/tasks.rs")
            .contains("unowned = \"everybody shares them\"")
    );
}

#[test]
fn shows_colour_at_a_terminal_unless_it_is_not_wanted() {
    let service = Service::new();
    let words = "g resource task title:text:1..200 --owner account --dry-run";
    let coloured = at_a_terminal(&service, words, "", &[]);
    assert!(coloured.contains("\u{1b}[32m+mod tasks;"), "{coloured}");
    let plain = at_a_terminal(&service, words, "", &[("NO_COLOR", "1")]);
    assert!(
        plain.contains("+mod tasks;") && !plain.contains('\u{1b}'),
        "{plain}"
    );
}
