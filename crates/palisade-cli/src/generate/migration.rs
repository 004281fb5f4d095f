//! `palisade generate migration`: the next numbered file.

use clap::Args;

use super::app::App;
use super::field::{self, Fault, pointed};
use super::plan::Plan;
use super::resource::{MAIN, migration};
use super::service::Service;
use super::source::Source;
use super::words::not_snake;
use crate::Failure;

#[derive(Args)]
pub(crate) struct Arguments {
    /// What it does, such as `add_due_to_notes` or `drop_notes`
    name: String,
    /// The columns that `add_…_to_TABLE` adds, such as `due:date?`
    fields: Vec<String>,
    /// Show what would be written, as a diff, and write nothing
    #[arg(long)]
    pub(super) dry_run: bool,
}

pub(super) const HELP: &str = "\
Examples:
  palisade generate migration add_due_to_notes 'due:date?'
  palisade generate migration drop_notes
  palisade generate migration notes_by_title";

/// What there is to do, and what may be next.
pub(super) fn plan(service: &Service, arguments: &Arguments) -> Result<(Plan, String), Failure> {
    let name = &arguments.name;
    if let Some(wrong) = not_snake(name) {
        return Err(Failure::usage(format!(
            "`{name}` cannot be a migration's name: {wrong}."
        )));
    }
    let (text, next) = text(name, &arguments.fields)?;
    let main = Source::read(MAIN, service.read_needed(MAIN)?)?;
    let folder = App::of(&main, "").ok().and_then(|app| app.migrations());
    let file = migration(service, folder.as_deref().unwrap_or("migrations"), name);
    let mut plan = Plan::default();
    plan.write(service, &file, text)?;
    Ok((plan, next))
}

fn text(name: &str, fields: &[String]) -> Result<(String, String), Failure> {
    let table = name
        .strip_prefix("add_")
        .and_then(|rest| rest.rsplit_once("_to_"));
    if let Some((_, table)) = table {
        return added(name, table, fields);
    }
    if !fields.is_empty() {
        return Err(Failure::usage(
            "Fields are what a migration adds: call it `add_…_to_TABLE`, such as `add_due_to_notes`.",
        ));
    }
    if let Some(table) = name.strip_prefix("drop_") {
        let next =
            "What it drops is gone for good: apply it when no instance reads the table any more.";
        return Ok((format!("drop table {table};\n"), next.to_owned()));
    }
    let words = name.replace('_', " ");
    let next = "Write the SQL into it: both databases read it, and a file that was applied is never changed.";
    Ok((format!("-- {words}\n"), next.to_owned()))
}

fn added(name: &str, table: &str, words: &[String]) -> Result<(String, String), Failure> {
    if words.is_empty() {
        return Err(Failure::usage(format!(
            "`{name}` adds nothing yet: name the columns, as in `palisade generate migration {name} 'due:date?'`."
        )));
    }
    let fields = field::all(words)?;
    if let Some((field, word)) = fields.iter().zip(words).find(|(field, _)| !field.optional) {
        let wrong = format!(
            "rows that are there have no `{}`: write `{word}?`, or write this migration by hand with a default.",
            field.name
        );
        return Err(pointed(
            word,
            &Fault::new(&(word.len()..word.len() + 1), wrong),
        ));
    }
    let text = fields
        .iter()
        .map(|field| format!("alter table {table} add column {};\n", field.column()));
    let row = fields
        .iter()
        .map(|field| format!("\n    {}: {},", field.name, field.row_type("")));
    let row: String = row.collect();
    Ok((
        text.collect(),
        format!("Where the row of `{table}` is read, and in what is shown of it:{row}"),
    ))
}
