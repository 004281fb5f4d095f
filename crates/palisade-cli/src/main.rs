//! The `palisade` command: starts services, explains what the compiler said.

mod explain;
mod generate;
mod new;
mod secret;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;

/// Starts palisade services, and explains what the compiler said.
#[derive(Parser)]
#[command(name = "palisade", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Writes a new service: accounts, one owned resource, its migration and its tests
    New {
        /// The folder to make; its last part names the service
        name: PathBuf,
        /// Build and start it, and print its address and three requests to try
        #[arg(long)]
        run: bool,
        /// A checkout of palisade to build against, in place of the published version
        #[arg(long, value_name = "DIR")]
        path_to_palisade: Option<PathBuf>,
    },
    /// Writes a part of a service into the one that this folder belongs to
    #[command(subcommand, visible_alias = "g")]
    Generate(generate::Generate),
    /// Takes back what was generated, where nobody changed it since
    #[command(subcommand)]
    Destroy(generate::Destroy),
    /// Tells why the compiler refused something, and what to write instead
    Explain {
        /// The code at the start of the error, such as P0201
        code: String,
    },
    /// Prints a new secret key, or replaces the one of this machine
    Secret(secret::Secret),
    /// Prints what completes this command's words in a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Prints the manual page
    #[command(hide = true)]
    Man,
    #[command(hide = true, name = "announce")]
    Announce { port: u16, name: String },
}

/// Why a task failed: what to print, and how to end.
struct Failure {
    text: String,
    code: u8,
}

impl Failure {
    /// The command was used wrongly.
    fn usage(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            code: 2,
        }
    }

    /// Used rightly, but it cannot be done.
    fn other(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            code: 1,
        }
    }
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Task::New {
            name,
            run,
            path_to_palisade,
        } => new::new(&name, path_to_palisade.as_deref(), run),
        Task::Generate(what) => generate::generate(what),
        Task::Destroy(what) => generate::destroy(what),
        Task::Explain { code } => explain::explain(&code),
        Task::Secret(secret) => secret::secret(&secret),
        Task::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "palisade", &mut text);
            say(&String::from_utf8_lossy(&text));
            Ok(ExitCode::SUCCESS)
        }
        Task::Man => manual(),
        Task::Announce { port, name } => new::announce(port, &name),
    };
    match outcome {
        Ok(code) => code,
        Err(failure) => {
            let _ = writeln!(anstream::stderr(), "{}", failure.text);
            ExitCode::from(failure.code)
        }
    }
}

fn manual() -> Result<ExitCode, Failure> {
    let mut text = Vec::new();
    clap_mangen::Man::new(Arguments::command())
        .render(&mut text)
        .map_err(|error| Failure::other(format!("The manual page could not be made: {error}.")))?;
    say(&String::from_utf8_lossy(&text));
    Ok(ExitCode::SUCCESS)
}

/// Prints; a reader that went away is no error.
fn say(text: &str) {
    let _ = anstream::stdout().write_all(text.as_bytes());
    let _ = anstream::stdout().flush();
}
