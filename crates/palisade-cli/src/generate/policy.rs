//! `palisade generate policy`: who may do one more thing to a resource.

use clap::Args;
use heck::ToUpperCamelCase as _;
use quote::ToTokens as _;
use syn::{Item, ItemStruct};

use super::module::Module;
use super::plan::Plan;
use super::service::Service;
use super::words::{Words, not_snake};
use crate::Failure;

/// Actions that palisade has.
const KNOWN: &[&str] = &["Read", "Edit", "Delete"];

#[derive(Args)]
pub(crate) struct Arguments {
    /// What is done to it, such as `share`
    action: String,
    /// What it is done to, such as `note`
    resource: String,
    /// The module of the resource, where it is not called as several of them
    #[arg(long = "in", value_name = "MODULE")]
    module: Option<String>,
    /// Show what would be written, as a diff, and write nothing
    #[arg(long)]
    pub(super) dry_run: bool,
}

pub(super) const HELP: &str = "\
Example:
  palisade generate policy share note";

/// What there is to do, and what may be next.
pub(super) fn plan(service: &Service, arguments: &Arguments) -> Result<(Plan, String), Failure> {
    let action = &arguments.action;
    if let Some(wrong) = not_snake(action) {
        return Err(Failure::usage(format!(
            "`{action}` cannot be an action's name: {wrong}."
        )));
    }
    let words = Words::of(&arguments.resource, arguments.module.as_deref())?;
    let (ty, action_ty) = (&words.ty, action.to_upper_camel_case());
    let module = Module::needed(service, &words.many)?;
    let file = module.source.name();
    let found = module.items().iter().find_map(|item| match item {
        Item::Struct(item) if item.ident == ty => Some(item),
        _ => None,
    });
    let Some(owner) = found.and_then(owner) else {
        return Err(Failure::other(format!(
            "`{file}` has no `{ty}` that belongs to an account (`#[resource(…, owner = \"owner_id\")]`), so nobody knows who may {action} it: write the policy by hand. Nothing was written."
        )));
    };
    let declared = if KNOWN.contains(&action_ty.as_str()) {
        String::new()
    } else {
        format!(
            "/// To {} it.\nstruct {action_ty};\n\nimpl Action for {action_ty} {{}}\n\n",
            action.replace('_', " ")
        )
    };
    let text = format!(
        "{declared}impl Permit<{action_ty}> for {ty} {{\n    async fn permits(&self, actor: &Actor, _: &ReadDb) -> Result<bool> {{\n        Ok(actor.is(self.{owner}))\n    }}\n}}"
    );
    let at = module.after(|item| match item {
        Item::Struct(item) => item.ident == ty,
        Item::Impl(item) => {
            let permits = item
                .trait_
                .as_ref()
                .and_then(|(path, _)| path.segments.last());
            permits.is_some_and(|name| name.ident == "Permit")
                && item.self_ty.to_token_stream().to_string() == *ty
        }
        _ => false,
    });
    let mut plan = Plan::default();
    let edit = module.add(&text, at)?;
    module.change(&mut plan, [edit]);
    Ok((
        plan,
        format!(
            "Its owner may. Ask for it as the first argument of a handler: `{}: Can<{action_ty}, {ty}>`.",
            words.one
        ),
    ))
}

/// The owner column of a resource.
fn owner(item: &ItemStruct) -> Option<String> {
    let attribute = item
        .attrs
        .iter()
        .find(|attribute| attribute.path().is_ident("resource"))?;
    let mut owner = None;
    let _ = attribute.parse_nested_meta(|meta| {
        let value: syn::LitStr = meta.value()?.parse()?;
        if meta.path.is_ident("owner") {
            owner = Some(value.value());
        }
        Ok(())
    });
    owner
}
