//! `palisade destroy`: what was generated is taken back, unless somebody changed it since.

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::app::{App, other_use};
use super::owner::Owner;
use super::plan::Plan;
use super::resource::{MAIN, Resource, TESTS, migration};
use super::service::Service;
use super::source::Source;
use super::words::Words;
use crate::{Failure, say};

#[derive(Subcommand)]
pub(crate) enum Destroy {
    /// A resource: its module, its tests and the lines that name them; its migration stays
    #[command(after_help = "\
Example:
  palisade destroy resource note --dry-run")]
    Resource(ResourceArguments),
}

#[derive(Args)]
pub(crate) struct ResourceArguments {
    /// What one of them is called, as it was generated
    name: String,
    /// What several are called, where that is not simple English
    #[arg(long, value_name = "NAME")]
    plural: Option<String>,
    /// Show what would be deleted, as a diff, and delete nothing
    #[arg(long)]
    dry_run: bool,
}

/// Does what the command line says.
pub(crate) fn destroy(what: Destroy) -> Result<ExitCode, Failure> {
    let Destroy::Resource(ResourceArguments {
        name,
        plural,
        dry_run,
    }) = what;
    let service = Service::here()?;
    let words = Words::of(&name, plural.as_deref())?;
    let file = format!("src/{}.rs", words.many);
    let Some(module) = service.read(&file)? else {
        return Err(Failure::other(format!(
            "There is no `{file}`, so there is nothing to take back."
        )));
    };
    let resource = made_by(&module, &words).ok_or_else(|| {
        Failure::other(format!(
            "`{file}` does not say that it was generated (`//! Made by …`), so it stays: delete it by hand."
        ))
    })??;
    let main = Source::read(MAIN, service.read_needed(MAIN)?)?;
    let tests = Source::read(TESTS, service.read_needed(TESTS)?)?;
    let app = App::of(&main, &format!(".routes({})", resource.routes()))?;

    if module != resource.module()? {
        return Err(Failure::other(format!(
            "`{file}` was changed since it was generated, so it stays, and what belongs to it: delete it by hand. Nothing was deleted."
        )));
    }
    let role = resource.role().and_then(|role| app.uncall("role", &role));
    let edits = [
        main.undeclare(&words.many),
        role,
        app.uncall("routes", &resource.routes()),
    ];
    let after = main.with(edits.into_iter().flatten().collect());
    if let Some(line) = other_use(&Source::read(MAIN, after.clone())?, &words.many) {
        return Err(Failure::other(format!(
            "`{MAIN}` would still name `{}` (line {line} without the resource): take that out first. Nothing was deleted.",
            words.many
        )));
    }

    let mut plan = Plan::default();
    let mut stays = Vec::new();
    plan.change(MAIN, main.text().to_owned(), after);
    let test_file = resource.test_file();
    match service.read(&test_file)? {
        Some(text) if text == resource.tests()? => {
            let edit = tests.undeclare(&words.many);
            plan.change(
                TESTS,
                tests.text().to_owned(),
                tests.with(edit.into_iter().collect()),
            );
            plan.delete(&test_file, text);
        }
        Some(_) => stays.push(format!(
            "`{test_file}` was changed since it was generated, so it stays."
        )),
        None => {}
    }
    plan.delete(&file, module);
    let folder = app.migrations().unwrap_or_else(|| "migrations".to_owned());
    let table = migration(&service, &folder, &words.many);
    if service.path(&table).exists() {
        stays.push(format!(
            "`{table}` stays, since it may have been applied: drop the table in a new migration, `palisade generate migration drop_{}`.",
            words.many
        ));
    }
    let stays: String = stays.iter().map(|line| format!("\n{line}\n")).collect();
    if dry_run {
        say(&plan.diff());
        // Not into the diff, which a program may read.
        let _ = anstream::stderr().write_all(stays.as_bytes());
    } else {
        plan.apply(&service)?;
        say(&format!("{}{stays}", plan.told()));
    }
    Ok(ExitCode::SUCCESS)
}

/// What the module says that it was made by, when it says so.
fn made_by(module: &str, words: &Words) -> Option<Result<Resource, Failure>> {
    let line = module.lines().find_map(|line| {
        line.strip_prefix("//! Made by `palisade generate resource ")?
            .strip_suffix("`.")
    })?;
    let (line, owner) = match line.split_once(" --unowned \"") {
        Some((line, reason)) => (line, Owner::Nobody(reason.strip_suffix('"')?.to_owned())),
        None => (line.strip_suffix(" --owner account")?, Owner::Account),
    };
    let (line, plural) = match line.split_once(" --plural ") {
        Some((line, plural)) => (line, Some(plural)),
        None => (line, None),
    };
    let mut said = line.split(' ').map(ToOwned::to_owned);
    if said.next()? != words.one || plural.is_some_and(|plural| plural != words.many) {
        return None;
    }
    Some(Resource::new(
        &words.one,
        &said.collect::<Vec<_>>(),
        plural,
        |_| Ok(owner),
    ))
}
