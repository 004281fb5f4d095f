//! What a maintainer does: `cargo xtask test`, `cargo xtask tidy`.

mod first_run;
mod generated;
mod postgres;
mod running;
mod shell;
mod steps;
mod tidy;
mod tutorial;

use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask test [STEP…]  run everything, or only the steps named
cargo xtask tidy          rooms, names, codes, cases: what the compiler does not check";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((task, chosen)) if task == "test" => steps::run(&root(), chosen),
        Some((task, [])) if task == "tidy" => tidy::run(&root()),
        _ => {
            println!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

/// The checkout that this command was built from.
fn root() -> PathBuf {
    let mut root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.pop();
    root
}
