//! The command line of every app: `serve`, `routes`, `migrate`, `check`, `grant`, `revoke`, `--help`.

use std::future::Future;
use std::io::IsTerminal as _;
use std::process::ExitCode;

use super::build::App;
use super::management::Package;
use super::signals::Signals;
use super::start::Pending;
use crate::config::{Config, Environment, Refusal};
use crate::endpoint::Route;
use crate::event::{self, Event, LogFormat};
use crate::perimeter::Inherited;

/// `EX_CONFIG` of sysexits.h: the configuration is not right.
const REFUSED: u8 = 78;
const USAGE: u8 = 64;

const HELP: &str = "\
Usage: PROGRAM [COMMAND]

Commands:
  serve              check everything, then serve (the default)
  check              check everything that `serve` checks, and open no port
  migrate            apply the migrations that the database lacks
  routes             list the routes and who may call them
  grant ROLE EMAIL   give a role to the account with this address; so the first administrator is made
  revoke ROLE EMAIL  take the role away from it
  help               print this text

Settings come from palisade.toml and the environment; in development also from .env.
Exit codes: 0 done, 64 unknown command, 78 refused to start.
";

/// Runs an app by its command line.
#[doc(hidden)]
pub fn run<F, Fut>(app: F, package: Package) -> ExitCode
where
    F: FnOnce() -> Fut,
    Fut: Future<Output = Result<App, Refusal>>,
{
    let words: Vec<String> = std::env::args().skip(1).collect();
    let command = match words
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        [] | ["serve"] => Command::Serve,
        ["check"] => Command::Check,
        ["migrate"] => Command::Migrate,
        ["routes"] => Command::Routes,
        ["grant", role, email] => Command::grant(role, email, true),
        ["revoke", role, email] => Command::grant(role, email, false),
        ["help" | "--help" | "-h"] => {
            say(HELP);
            return ExitCode::SUCCESS;
        }
        _ => {
            complain("this command is not known; `help` lists those that are");
            return ExitCode::from(USAGE);
        }
    };
    let inherited = Inherited::of_process();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&format!(
                "the asynchronous runtime could not be started: {error}"
            ));
            return ExitCode::FAILURE;
        }
    };
    let run = async {
        let mut app = app().await?;
        app.package = package;
        command.run(app, inherited).await
    };
    let outcome = runtime.block_on(run);
    // Work on blocking threads that nobody waits for any more must not hold the end.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(refusal) => {
            event::flush_log();
            complain(refusal.to_string().trim_end());
            ExitCode::from(REFUSED)
        }
    }
}

enum Command {
    Serve,
    Check,
    Migrate,
    Routes,
    Grant {
        role: String,
        email: String,
        grant: bool,
    },
}

impl Command {
    fn grant(role: &str, email: &str, grant: bool) -> Self {
        Self::Grant {
            role: role.to_owned(),
            email: email.to_owned(),
            grant,
        }
    }

    async fn run(self, app: App, inherited: Inherited) -> Result<(), Refusal> {
        match self {
            Self::Routes => {
                say(&table(&app));
                Ok(())
            }
            Self::Check => {
                app.start_with(Pending::Refuse).await?;
                say("everything is in order\n");
                Ok(())
            }
            Self::Migrate => {
                app.start_with(Pending::Apply).await?;
                say("the database has every migration\n");
                Ok(())
            }
            Self::Grant { role, email, grant } => {
                if let Some(config) = &app.config {
                    start_log(config);
                }
                let done = app.grant(&role, &email, grant).await?;
                // What it was, for the audit, before the words for whoever typed it.
                event::flush_log();
                say(&done);
                Ok(())
            }
            Self::Serve => serve(app, inherited).await,
        }
    }
}

async fn serve(app: App, inherited: Inherited) -> Result<(), Refusal> {
    match &app.config {
        Some(config) => start_log(config),
        None => return Err(Refusal::default()),
    }
    for notice in &app.notices {
        tracing::warn!("{notice}");
    }
    if let Some(notice) = app.config.as_ref().and_then(too_few_files) {
        tracing::warn!("{notice}");
    }
    let mut started = app.start().await?;
    // Before the first connection can come, so that whoever is served can also stop the service in order.
    let signals = Signals::catch(started.is_secure())?;
    // The app's port comes last: whoever reaches it finds everything else there.
    let metrics = started.open_metrics().await;
    let listeners = started.listen(inherited).await;
    let (metrics, listeners) = match (metrics, listeners) {
        (Ok(metrics), Ok(listeners)) => (metrics, listeners),
        (metrics, listeners) => {
            let mut refusal = metrics.err().unwrap_or_default();
            if let Err(more) = listeners {
                refusal.merge(more);
            }
            return Err(refusal);
        }
    };
    tracing::info!(
        perimeter = started.summary(),
        "listening on {}",
        listeners.places(started.is_secure()).join(", ")
    );
    if let Some(metrics) = metrics {
        tracing::info!("metrics on http://{metrics}/metrics");
    }
    Event::Started.emit();
    started.serve(listeners, stop(signals)).await;
    Event::Stopped.emit();
    event::flush_log();
    Ok(())
}

/// Each connection is an open file, and so is each of the database's, and what the process itself needs.
fn too_few_files(config: &Config) -> Option<String> {
    const OWN: u64 = 64;
    let (most, connections) = (event::most_open_files()?, config.serve.max_connections);
    let few = most < u64::from(connections) + OWN;
    (few && config.env == Environment::Production).then(|| {
        format!(
            "this process may open {most} files, and serve.max_connections is {connections}: raise the limit (LimitNOFILE= of systemd, `ulimit -n`) \
             above it by {OWN}, or lower serve.max_connections, or connections will wait unaccepted"
        )
    })
}

fn start_log(config: &Config) {
    let format = match config.env {
        Environment::Development => LogFormat::Text {
            colour: std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
        },
        Environment::Production => LogFormat::Json,
    };
    event::start_log(format, config.log.as_str());
}

/// Ends on Ctrl-C or SIGTERM; a second one ends at once.
async fn stop(mut signals: Signals) {
    signals.wait().await;
    tracing::info!("stopping; requests that are under way may end");
    tokio::spawn(async move {
        signals.wait().await;
        event::flush_log();
        std::process::exit(130);
    });
}

/// The routes: who may call each, by its guard, and by the permission and the roles that carry it.
fn table(app: &App) -> String {
    let cells = |route: &Route| {
        let guard = route.guard().to_owned();
        let limit = route.limit.unwrap_or_default().to_owned();
        [route.path.to_owned(), guard, app.callers(route), limit]
    };
    let rows: Vec<_> = app.routes.iter().map(cells).collect();
    let width = |at: usize| rows.iter().map(|row| row[at].len()).max().unwrap_or(0);
    let (path, guard, callers, limit) = (width(0), width(1), width(2), width(3));
    let row = |(route, cells): (&Route, &[String; 4])| {
        let [own, who, may, rate] = cells;
        format!(
            "{:<7} {own:<path$}  {who:<guard$}  {may:<callers$}  {rate:<limit$}  {}:{}\n",
            route.method, route.file, route.line
        )
    };
    app.routes.iter().zip(&rows).map(row).collect()
}

fn say(text: &str) {
    use std::io::Write as _;
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn complain(text: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "{text}");
}
