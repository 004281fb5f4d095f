//! `palisade new NAME --run`, as somebody who has nothing yet runs it, where the usual port is taken.

use std::net::TcpListener;
use std::path::Path;

use crate::running::Running;
use crate::shell::{Shell, terminal};

const USUAL: u16 = 3000;
const LAST_REQUEST: &str = "/notes -H";
/// What each of the three requests answers, when it works.
const ANSWERS: [&str; 3] = [
    r#"{"email":"ada@example.com"}"#,
    "",
    r#""title":"Hello","body":"<p>My first note</p>""#,
];

/// Waits for the address and the three requests, pastes them into a shell, and ends the service with Ctrl-C.
pub(crate) fn check(root: &Path) -> Result<(), String> {
    // Where it cannot be had, somebody else has it, which is the same.
    let _taken = TcpListener::bind(("127.0.0.1", USUAL));
    let folder = tempfile::Builder::new()
        .prefix("first run ")
        .tempdir()
        .map_err(|error| format!("no temporary folder: {error}"))?;
    let mut new = terminal(root, root);
    new.args([
        "-c",
        "exec cargo run --quiet -p palisade-cli -- new \"$FOLDER\" --run 2>&1",
    ]);
    new.env("FOLDER", folder.path().join("hello"));
    let mut running = Running::start(&mut new)?;
    if let Some(ended) = running.until(LAST_REQUEST)? {
        return Err(format!("it ended with {ended}:\n{}", running.said()));
    }
    let said = running.said();
    let mut lines = said
        .lines()
        .skip_while(|line| !line.starts_with("hello answers on http://127.0.0.1:"))
        .filter(|line| !line.is_empty());
    let head = lines.next().unwrap_or_default();
    if head.is_empty() || head.contains(&format!(":{USUAL} ")) {
        return Err(format!("no address, or one that is taken:\n{said}"));
    }
    let requests: Vec<&str> = lines.collect();
    if requests.len() != ANSWERS.len() {
        return Err(format!("not {} requests:\n{said}", ANSWERS.len()));
    }
    let mut shell = Shell::open(terminal(root, folder.path()))?;
    for (request, answer) in requests.iter().zip(ANSWERS) {
        let outcome = shell.run(request)?;
        let right = match answer {
            "" => outcome.said.is_empty(),
            answer => outcome.said.contains(answer),
        };
        if outcome.code != 0 || !right {
            return Err(format!("`{request}` answered:\n{}", outcome.said));
        }
    }
    running.interrupt()
}
