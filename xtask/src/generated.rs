//! A new service, as `palisade new` writes it and `palisade generate` adds to it: formatted, without warnings, and passing its own tests.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::steps::{cargo, output};

/// A resource with a field of every kind.
const EVERYTHING: &str = "generate resource everything title:text:1..200 summary:text:..2000? body:richtext:..10000 contact:email \
    handle:slug alias:slug? homepage:url done:bool pinned:bool? due:date ended:date? starts_at:timestamp ends_at:timestamp? \
    stars:int:1..5 offset_days:int:-30..30? rating:float:0.5..5.0 score:float:-1..1? status:choice:draft,sent mood:choice:good,bad? \
    lines:list:text:1..80:..20 hints:list:url:..3? tags:set:slug:..10 days:set:date:..7? --owner account";
/// One that belongs to nobody.
const COUNTRY: &str = "generate resource country name:text:1..80 --unowned same-for-everybody";
/// What is added beside them, without a warning.
const PARTS: [&str; 5] = [
    "generate policy share note",
    "generate handler share post /notes/{note}/shares --guard Can<Share,Note> --in notes",
    "generate permission notes.publish --role editor",
    "generate handler publish put /published --guard Can<crate::permissions::PublishNotes>",
    "generate migration add_due_to_notes due:date? stars:int:1..5?",
];
/// What nothing uses yet.
const UNUSED: [&str; 2] = [
    "generate input new_comment text:text:1..500 due:date? mood:choice:good,bad rating:float:0..1 --in notes",
    "generate problem title_taken 409 Taken --detail Choose-another-one",
];
const CHECK: &str = "actor.is(self.owner_id)";
/// What must fail when the owner is not asked for.
const CROSS_ACCOUNT: [&str; 3] = [
    "nobody_else_sees_it",
    "nobody_else_changes_it",
    "nobody_else_deletes_it",
];

/// Writes a service into a folder with a blank in its name, adds resources to it, and checks it as its owner would.
pub(crate) fn check(root: &Path) -> Result<(), String> {
    let folder = tempfile::Builder::new()
        .prefix("new service ")
        .tempdir()
        .map_err(|error| format!("no temporary folder: {error}"))?;
    let service = folder.path().join("first-service");
    palisade(root, folder.path(), &["new", "first-service"])?;
    let generate = |words: &str| {
        let words: Vec<&str> = words.split_whitespace().collect();
        palisade(root, &service.join("src"), &words)
    };
    [EVERYTHING, COUNTRY]
        .into_iter()
        .chain(PARTS)
        .try_for_each(generate)?;
    output(within(&service, root, &["fmt", "--check"]))?;
    output(within(
        &service,
        root,
        &["clippy", "--all-targets", "--", "-D", "warnings"],
    ))?;
    UNUSED.into_iter().try_for_each(generate)?;
    output(within(&service, root, &["fmt", "--check"]))?;
    output(within(&service, root, &["test"]))?;
    without_the_owner(root, &service)
}

/// The tests that were generated notice when the policy that was generated asks for nobody.
fn without_the_owner(root: &Path, service: &Path) -> Result<(), String> {
    let file = service.join("src/everythings.rs");
    let text = fs::read_to_string(&file).map_err(|error| error.to_string())?;
    if text.matches(CHECK).count() != 1 {
        return Err(format!(
            "`{CHECK}` does not stand once in what was generated"
        ));
    }
    fs::write(&file, text.replace(CHECK, "true")).map_err(|error| error.to_string())?;
    let Err(said) = output(within(service, root, &["test", "everythings::"])) else {
        return Err("without the owner check the generated tests pass".to_owned());
    };
    let unnoticed = CROSS_ACCOUNT
        .iter()
        .find(|name| !said.contains(&format!("test everythings::{name} ... FAILED")));
    match unnoticed {
        None => Ok(()),
        Some(name) => Err(format!(
            "without the owner check `{name}` does not fail:\n{said}"
        )),
    }
}

fn palisade(root: &Path, folder: &Path, words: &[&str]) -> Result<(), String> {
    let mut command = cargo(folder);
    command.args(["run", "--quiet", "-p", "palisade-cli", "--manifest-path"]);
    command.arg(root.join("Cargo.toml")).arg("--").args(words);
    output(command)
}

/// One target folder for all: the service's dependencies are those of the workspace.
fn within(service: &Path, root: &Path, arguments: &[&str]) -> Command {
    let mut command = cargo(service);
    command
        .args(arguments)
        .env("CARGO_TARGET_DIR", root.join("target"));
    command
}
