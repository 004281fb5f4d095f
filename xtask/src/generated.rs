//! A new service, as `palisade new` writes it: formatted, without warnings, and passing its own tests.

use std::path::Path;
use std::process::Command;

use crate::steps::{cargo, output};

/// Writes a service into a folder with a blank in its name, and checks it as its owner would.
pub(crate) fn check(root: &Path) -> Result<(), String> {
    let folder = tempfile::Builder::new()
        .prefix("new service ")
        .tempdir()
        .map_err(|error| format!("no temporary folder: {error}"))?;
    let service = folder.path().join("first-service");
    let mut new = cargo(root);
    new.args(["run", "--quiet", "-p", "palisade-cli", "--", "new"]);
    new.arg(&service);
    output(new)?;
    for arguments in [
        &["fmt", "--check"][..],
        &["clippy", "--all-targets", "--", "-D", "warnings"],
        &["test"],
    ] {
        output(within(&service, root, arguments))?;
    }
    Ok(())
}

/// One target folder for all: the service's dependencies are those of the workspace.
fn within(service: &Path, root: &Path, arguments: &[&str]) -> Command {
    let mut command = cargo(service);
    command
        .args(arguments)
        .env("CARGO_TARGET_DIR", root.join("target"));
    command
}
