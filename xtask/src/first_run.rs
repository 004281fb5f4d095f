//! The front page as somebody who has nothing yet reads it: `palisade new NAME --run`, where the usual port is taken, and then
//! the handler that does not compile.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use crate::running::Running;
use crate::shell::{Shell, terminal};
use crate::tutorial::given;

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
    running.interrupt()?;
    refused_handler(root, &folder.path().join("hello"))
}

/// The compiler says of the handler what the front page says that it does.
fn refused_handler(root: &Path, service: &Path) -> Result<(), String> {
    let page = fs::read_to_string(root.join("README.md")).map_err(|error| error.to_string())?;
    let (_, rest) = page
        .split_once("```rust,compile_fail\n")
        .ok_or("README.md shows no handler that does not compile")?;
    let block = |rest: &str| rest.split_once("\n```").map(|(block, _)| block.to_owned());
    let handler = block(rest);
    let answer = rest
        .split_once("```text\n")
        .and_then(|(_, rest)| block(rest));
    let (Some(handler), Some(answer)) = (handler, answer) else {
        return Err("README.md does not show what the compiler says".to_owned());
    };
    let main = service.join("src/main.rs");
    fs::write(&main, format!("{handler}\n\nfn main() {{}}\n"))
        .map_err(|error| format!("{}: {error}", main.display()))?;
    let built = Shell::open(terminal(root, service))?.run("cargo build")?;
    let answer: Vec<String> = answer.lines().map(ToOwned::to_owned).collect();
    if built.code != 0 && given(&built.said, &answer) {
        return Ok(());
    }
    Err(format!(
        "the compiler does not say what README.md shows:\n{}",
        built.said
    ))
}
