//! `palisade generate problem`: an answer for a failure that clients tell from others.

use clap::Args;
use heck::{ToSnakeCase as _, ToUpperCamelCase as _};
use syn::{Fields, Item, ItemEnum};

use super::layout::attribute;
use super::module::{Module, register};
use super::plan::Plan;
use super::service::Service;
use super::words::not_snake;
use crate::Failure;

const MODULE: &str = "problems";

#[derive(Args)]
pub(crate) struct Arguments {
    /// What went wrong, such as `title_taken`
    name: String,
    /// The status of the answer, 400 to 599
    #[arg(value_parser = clap::value_parser!(u16).range(400..=599))]
    status: u16,
    /// What went wrong, in the words for the client
    title: String,
    /// What the client can do about it
    #[arg(long)]
    detail: Option<String>,
    /// Show what would be written, as a diff, and write nothing
    #[arg(long)]
    pub(super) dry_run: bool,
}

pub(super) const HELP: &str = "\
Example:
  palisade generate problem title_taken 409 'The title is taken' --detail 'Choose another one'";

/// What there is to do, and what may be next.
pub(super) fn plan(service: &Service, arguments: &Arguments) -> Result<(Plan, String), Failure> {
    let Arguments {
        name,
        status,
        title,
        detail,
        ..
    } = arguments;
    let variant = name.to_upper_camel_case();
    let wrong = not_snake(name).or_else(|| {
        (variant.to_snake_case() != *name)
            .then(|| "it does not survive as the name of a variant".to_owned())
    });
    if let Some(wrong) = wrong {
        return Err(Failure::usage(format!(
            "`{name}` cannot be a problem's name: {wrong}."
        )));
    }
    for text in [Some(title), detail.as_ref()].into_iter().flatten() {
        if text.trim().is_empty()
            || text.contains(|letter: char| letter.is_control() || matches!(letter, '"' | '\\'))
        {
            return Err(Failure::usage(format!(
                "`{text}` cannot be shown to a client: write a sentence without quotes, backslashes and control characters."
            )));
        }
    }
    let mut said = vec![format!("status = {status}"), format!("title = \"{title}\"")];
    said.extend(detail.iter().map(|detail| format!("detail = \"{detail}\"")));
    let attribute = attribute("problem", &said).replace('\n', "\n    ");
    let text = format!("    {attribute}\n    {variant},");

    let mut plan = Plan::default();
    let ty = match Module::find(service, MODULE)? {
        Some(module) => extended(&mut plan, &module, &variant, &text)?,
        None => {
            let text = format!(
                "//! Failures that clients tell from others.\n\nuse palisade::prelude::*;\n\n/// What can go wrong here.\n#[problem]\npub(crate) enum Problem {{\n{text}\n}}\n"
            );
            plan.write(service, &format!("src/{MODULE}.rs"), text)?;
            "Problem".to_owned()
        }
    };
    register(service, &mut plan, MODULE, |_| Vec::new(), "")?;
    let next = format!(
        "Answer with it: `return Err(crate::{MODULE}::{ty}::{variant}.into());`. Until then the compiler calls it unused."
    );
    Ok((plan, next))
}

/// The enum of the module with one variant more; its name.
fn extended(
    plan: &mut Plan,
    module: &Module,
    variant: &str,
    text: &str,
) -> Result<String, Failure> {
    let refused = |why: &str| {
        let name = module.source.name();
        Err(Failure::other(format!(
            "`{name}` {why} Nothing was written."
        )))
    };
    let problems = |item: &ItemEnum| {
        item.attrs
            .iter()
            .any(|attribute| attribute.path().is_ident("problem"))
    };
    let found = module.items().iter().find_map(|item| match item {
        Item::Enum(item) if problems(item) => Some(item),
        _ => None,
    });
    let Some(item) = found else {
        return refused("has no `#[problem]` enum to add to: write one, then run this again.");
    };
    if let Some(there) = item.variants.iter().find(|there| there.ident == variant) {
        let said = &module.source.text()[module.source.bytes(there)];
        let words = |text: &str| text.split_whitespace().collect::<String>();
        if words(said) != words(text.trim_end_matches(',')) {
            return refused(&format!(
                "has a `{variant}` already that says something else: choose another name."
            ));
        }
        module.change(plan, []);
        return Ok(item.ident.to_string());
    }
    if item
        .variants
        .iter()
        .any(|there| !matches!(there.fields, Fields::Unit))
    {
        return refused("has a variant with members: add this one by hand.");
    }
    let edits = match item.variants.last() {
        Some(last) => {
            let end = module.source.bytes(last).end;
            let comma = item.variants.trailing_punct();
            let after = if comma { end + 1 } else { end };
            vec![
                (!comma).then(|| module.source.insert(end, ",".to_owned())),
                Some(module.source.insert_line_after(after, text)),
            ]
        }
        None => {
            let at = module.source.bytes(&item.brace_token.span.open()).end;
            vec![Some(module.source.insert(at, format!("\n{text}\n")))]
        }
    };
    module.change(plan, edits);
    Ok(item.ident.to_string())
}
