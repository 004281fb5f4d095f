//! `palisade generate`: code that a service's owner would have written, put in its place.

mod app;
mod destroy;
mod field;
mod handler;
mod input;
mod kind;
mod layout;
mod migration;
mod module;
mod owner;
mod permission;
mod plan;
mod policy;
mod problem;
mod resource;
mod sample;
mod service;
mod source;
mod words;

use std::process::ExitCode;

use clap::{Args, Subcommand};

pub(crate) use destroy::{Destroy, destroy};
use owner::Owner;
use plan::Plan;
use resource::Resource;
use service::Service;

use crate::{Failure, say};

#[derive(Subcommand)]
pub(crate) enum Generate {
    /// A table with its migration, inputs, output, policies, five handlers and tests
    #[command(after_help = RESOURCE_HELP)]
    Resource(ResourceArguments),
    /// The next numbered file of SQL
    #[command(after_help = migration::HELP)]
    Migration(migration::Arguments),
    /// A handler that says who may call it, in a module and in its routes
    #[command(after_help = handler::HELP)]
    Handler(handler::Arguments),
    /// A type that bounds what a client sends
    #[command(after_help = input::HELP)]
    Input(input::Arguments),
    /// Who may do one more thing to a resource
    #[command(after_help = policy::HELP)]
    Policy(policy::Arguments),
    /// Something that an account may do everywhere, and the role that carries it
    #[command(after_help = permission::HELP)]
    Permission(permission::Arguments),
    /// An answer for a failure that clients tell from others
    #[command(after_help = problem::HELP)]
    Problem(problem::Arguments),
}

#[derive(Args)]
pub(crate) struct ResourceArguments {
    /// What one of them is called, such as `note` or `line_item`
    name: String,
    /// Its fields, such as `title:text:1..200`; a `?` at the end makes one optional
    fields: Vec<String>,
    /// Whose it is: `account`, for the account that makes it
    #[arg(long, value_name = "OWNER", conflicts_with = "unowned")]
    owner: Option<String>,
    /// Why it belongs to nobody: who is signed in reads it, and a permission allows to change it
    #[arg(long, value_name = "REASON")]
    unowned: Option<String>,
    /// What several are called, where that is not simple English
    #[arg(long, value_name = "NAME")]
    plural: Option<String>,
    /// Show what would be written, as a diff, and write nothing
    #[arg(long)]
    dry_run: bool,
}

const RESOURCE_HELP: &str = "\
Kinds of fields:
  text:1..200           text of so many letters; `text:..200` may be empty
  richtext:..10000      HTML of so many letters at most, sanitized
  email, slug, url      an e-mail address, a name for URLs, an http or https address
  int:1..5              an integer within these bounds
  float:0.5..5.0        a number within these bounds
  bool                  true or false
  date, timestamp       2026-01-31, 2026-01-31T12:00:00Z
  choice:draft,sent     one of these names
  list:text:1..80:..20  at most 20 of these
  set:slug:..10         at most 10 of these, each once

Examples:
  palisade generate resource task title:text:1..200 body:richtext:..10000 --owner account
  palisade generate resource task title:text:1..200 'due:date?' stars:int:1..5 --owner account --dry-run
  palisade generate resource country name:text:1..80 --unowned \"the same for everybody\"";

/// Does what the command line says.
pub(crate) fn generate(what: Generate) -> Result<ExitCode, Failure> {
    let service = Service::here()?;
    let ((plan, next), dry_run) = match &what {
        Generate::Resource(arguments) => (resource(&service, arguments)?, arguments.dry_run),
        Generate::Migration(arguments) => {
            (migration::plan(&service, arguments)?, arguments.dry_run)
        }
        Generate::Handler(arguments) => (handler::plan(&service, arguments)?, arguments.dry_run),
        Generate::Input(arguments) => (input::plan(&service, arguments)?, arguments.dry_run),
        Generate::Policy(arguments) => (policy::plan(&service, arguments)?, arguments.dry_run),
        Generate::Permission(arguments) => {
            (permission::plan(&service, arguments)?, arguments.dry_run)
        }
        Generate::Problem(arguments) => (problem::plan(&service, arguments)?, arguments.dry_run),
    };
    carry_out(&plan, &service, dry_run, &next)
}

fn resource(service: &Service, arguments: &ResourceArguments) -> Result<(Plan, String), Failure> {
    let (owner, unowned) = (arguments.owner.as_deref(), arguments.unowned.as_deref());
    let plural = arguments.plural.as_deref();
    let resource = Resource::new(&arguments.name, &arguments.fields, plural, |words| {
        Owner::of(owner, unowned, words)
    })?;
    Ok((resource.plan(service)?, resource.next()))
}

/// Shows the plan, or does it and says what was done and what may be next.
fn carry_out(
    plan: &Plan,
    service: &Service,
    dry_run: bool,
    next: &str,
) -> Result<ExitCode, Failure> {
    if dry_run {
        say(&if plan.is_empty() {
            plan.told()
        } else {
            plan.diff()
        });
        return Ok(ExitCode::SUCCESS);
    }
    plan.apply(service)?;
    let next = if plan.is_empty() || next.is_empty() {
        String::new()
    } else {
        format!("\n{next}\n")
    };
    say(&format!("{}{next}", plan.told()));
    Ok(ExitCode::SUCCESS)
}
