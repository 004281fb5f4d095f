//! `palisade generate permission`: something that an account may do everywhere, and the role that carries it.

use clap::Args;
use heck::ToUpperCamelCase as _;

use super::module::{Module, register};
use super::plan::Plan;
use super::service::Service;
use super::words::not_snake;
use crate::Failure;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Its name in tables and logs, such as `notes.publish`
    name: String,
    /// The role that carries it, such as `editor`
    #[arg(long)]
    role: String,
    /// The module that it stands in
    #[arg(long = "in", value_name = "MODULE", default_value = "permissions")]
    module: String,
    /// Show what would be written, as a diff, and write nothing
    #[arg(long)]
    pub(super) dry_run: bool,
}

pub(super) const HELP: &str = "\
Example:
  palisade generate permission notes.publish --role editor";

/// What there is to do, and what may be next.
pub(super) fn plan(service: &Service, arguments: &Arguments) -> Result<(Plan, String), Failure> {
    let Arguments {
        name, role, module, ..
    } = arguments;
    let parts: Vec<&str> = name.split('.').collect();
    let (subject, verb) = match &parts[..] {
        [subject @ .., verb]
            if !subject.is_empty() && parts.iter().all(|part| not_snake(part).is_none()) =>
        {
            (subject, verb)
        }
        _ => {
            return Err(Failure::usage(format!(
                "`{name}` cannot be a permission's name: write what it is about and what is done, as in `notes.publish`."
            )));
        }
    };
    let plain =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    if role.is_empty() || !role.chars().all(plain) {
        return Err(Failure::usage(format!(
            "`{role}` cannot be a role's name: write it in the letters a to z, digits and `-`."
        )));
    }
    let ty = format!("{verb}_{}", subject.join("_")).to_upper_camel_case();
    let text = format!(
        "/// To {} {}.\npub(crate) struct {ty};\n\nimpl Permission for {ty} {{\n    const NAME: &'static str = \"{name}\";\n}}",
        verb.replace('_', " "),
        subject.join(" ").replace('_', " ")
    );
    let mut plan = Plan::default();
    match Module::find(service, module)? {
        Some(module) => {
            let edit = module.add(&text, module.after(|_| true))?;
            module.change(&mut plan, [edit]);
        }
        None => {
            let text = format!(
                "//! What accounts may do everywhere, through a role.\n\nuse palisade::prelude::*;\n\n{text}\n"
            );
            plan.write(service, &format!("src/{module}.rs"), text)?;
        }
    }
    let may = format!(".may::<{module}::{ty}>()");
    let call = format!("Role::new(\"{role}\"){may}");
    register(
        service,
        &mut plan,
        module,
        |app| match app.role(role) {
            Some(there) => vec![app.extend(there, &may)],
            None => vec![app.call("role", &call, &["role", "migrations"])],
        },
        &format!(".role({call})"),
    )?;
    Ok((
        plan,
        format!(
            "Ask for it as the first argument of a handler: `_: Can<crate::{module}::{ty}>`; then `cargo fmt`."
        ),
    ))
}
