//! `cargo xtask test`: every check there is, one line each, and what failed in full.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use crate::postgres::{self, Server};
use crate::{first_run, generated, tidy, tutorial};

enum Check {
    Tidy,
    Generated,
    FirstRun,
    Tutorial,
    Cargo(&'static [&'static str]),
    /// With `PALISADE_TEST_POSTGRES` set, where there is a server.
    CargoWithData(&'static [&'static str]),
}

struct Step {
    name: &'static str,
    check: Check,
}

#[rustfmt::skip]
const STEPS: &[Step] = &[
    Step { name: "fmt", check: Check::Cargo(&["fmt", "--all", "--check"]) },
    Step { name: "tidy", check: Check::Tidy },
    Step { name: "clippy", check: Check::Cargo(&["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"]) },
    Step { name: "default-features", check: Check::Cargo(&["check", "-p", "palisade"]) },
    Step { name: "postgres-only", check: Check::Cargo(&["check", "-p", "palisade", "--no-default-features", "--features", "postgres"]) },
    Step { name: "tests", check: Check::CargoWithData(&["test", "--workspace", "--all-features", "--no-fail-fast"]) },
    Step { name: "new-service", check: Check::Generated },
    Step { name: "first-run", check: Check::FirstRun },
    Step { name: "tutorial", check: Check::Tutorial },
];

/// Runs the steps, all of them even when one fails, so that one run tells everything.
pub(crate) fn run(root: &Path, chosen: &[String]) -> ExitCode {
    if let Some(unknown) = chosen
        .iter()
        .find(|name| STEPS.iter().all(|step| step.name != **name))
    {
        let names: Vec<_> = STEPS.iter().map(|step| step.name).collect();
        println!(
            "there is no step `{unknown}`; there are {}",
            names.join(", ")
        );
        return ExitCode::from(2);
    }
    let steps: Vec<&Step> = STEPS
        .iter()
        .filter(|step| chosen.is_empty() || chosen.iter().any(|name| name == step.name))
        .collect();

    let begun = Instant::now();
    let mut failed = Vec::new();
    let server = if steps
        .iter()
        .any(|step| matches!(step.check, Check::CargoWithData(_)))
    {
        let (server, fault) = database();
        failed.extend(fault.map(|fault| ("postgres", fault)));
        server
    } else {
        None
    };
    for step in &steps {
        print!("{:<18}", step.name);
        let _ = io::stdout().flush();
        let started = Instant::now();
        let outcome = step.check.run(root, server.as_ref());
        let word = if outcome.is_ok() { "ok" } else { "FAILED" };
        println!("{word:<7} {:>8}", seconds(started.elapsed()));
        if let Err(output) = outcome {
            failed.push((step.name, output));
        }
    }
    drop(server);

    for (name, output) in &failed {
        println!("\n----- {name} -----\n{}", output.trim_end());
    }
    let took = seconds(begun.elapsed());
    if failed.is_empty() {
        println!("\nall {} steps ok in {took}", steps.len());
        ExitCode::SUCCESS
    } else {
        let names: Vec<_> = failed.iter().map(|(name, _)| *name).collect();
        println!("\nFAILED in {took}: {}", names.join(", "));
        ExitCode::FAILURE
    }
}

/// The server for the data tests, or why their lack is a failure: on a machine of CI nothing is skipped quietly.
fn database() -> (Option<Server>, Option<String>) {
    if let Ok(given) = std::env::var(postgres::VARIABLE) {
        println!(
            "{:<18}the server that {} names",
            "postgres",
            postgres::VARIABLE
        );
        return (Some(Server::given(given)), None);
    }
    print!("{:<18}", "postgres");
    let Some(folder) = postgres::find() else {
        println!("skipped: no `postgres` binary on this machine; data tests run on SQLite only");
        let fault =
            std::env::var_os("CI").map(|_| "CI is set, so PostgreSQL must be installed".to_owned());
        return (None, fault);
    };
    let started = Instant::now();
    match Server::start(&folder) {
        Ok(server) => {
            println!(
                "{:<7} {:>8}  a throwaway server",
                "ok",
                seconds(started.elapsed())
            );
            (Some(server), None)
        }
        Err(fault) => {
            println!("{:<7} {:>8}", "FAILED", seconds(started.elapsed()));
            (None, Some(fault))
        }
    }
}

impl Check {
    /// What the failed check said.
    fn run(&self, root: &Path, server: Option<&Server>) -> Result<(), String> {
        let (arguments, server) = match self {
            Self::Tidy => return tidy::check(root).into_result(),
            Self::Generated => return generated::check(root),
            Self::FirstRun => return first_run::check(root),
            Self::Tutorial => return tutorial::check(root),
            Self::Cargo(arguments) => (arguments, None),
            Self::CargoWithData(arguments) => (arguments, server),
        };
        let mut command = cargo(root);
        command.args(*arguments);
        if let Some(server) = server {
            command.env(postgres::VARIABLE, server.url());
        }
        output(command)
    }
}

pub(crate) fn cargo(root: &Path) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(cargo);
    command.current_dir(root).stdin(Stdio::null());
    forget_own_package(&mut command);
    command
}

/// Takes away the variables that belong to this command's own package: build scripts would run again.
pub(crate) fn forget_own_package(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
}

pub(crate) fn output(mut command: Command) -> Result<(), String> {
    let output = command
        .output()
        .map_err(|error| format!("cannot run {command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(String::from_utf8_lossy(&said).into_owned())
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
