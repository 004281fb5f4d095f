//! `palisade generate input`: a type that bounds what a client sends.

use clap::Args;
use heck::ToUpperCamelCase as _;
use syn::Item;

use super::field;
use super::module::Module;
use super::plan::Plan;
use super::service::Service;
use super::words::not_snake;
use crate::Failure;

#[derive(Args)]
pub(crate) struct Arguments {
    /// What it is called, such as `new_comment`
    name: String,
    /// Its members, such as `text:text:1..500`; a `?` at the end makes one optional
    #[arg(required = true)]
    fields: Vec<String>,
    /// The module that it stands in
    #[arg(long = "in", value_name = "MODULE")]
    module: String,
    /// Show what would be written, as a diff, and write nothing
    #[arg(long)]
    pub(super) dry_run: bool,
}

pub(super) const HELP: &str = "\
Kinds of fields: see `palisade generate resource --help`.

Example:
  palisade generate input new_comment text:text:1..500 'due:date?' --in notes";

/// What there is to do, and what may be next.
pub(super) fn plan(service: &Service, arguments: &Arguments) -> Result<(Plan, String), Failure> {
    let name = &arguments.name;
    if let Some(wrong) = not_snake(name) {
        return Err(Failure::usage(format!(
            "`{name}` cannot be an input's name: {wrong}."
        )));
    }
    let ty = name.to_upper_camel_case();
    let fields = field::all(&arguments.fields)?;
    let mut text = String::new();
    for field in fields
        .iter()
        .filter(|field| !field.kind.variants().is_empty())
    {
        let variants: String = field
            .kind
            .variants()
            .iter()
            .map(|name| format!("    {name},\n"))
            .collect();
        text += &format!("#[input]\nenum {} {{\n{variants}}}\n\n", field.choice(&ty));
    }
    text += &format!(
        "/// What a client sends as {}.\n#[input]\nstruct {ty} {{\n",
        name.replace('_', " ")
    );
    for field in &fields {
        let rule = field.kind.rule().map(|rule| format!("    {rule}\n"));
        text += &format!(
            "{}    {}: {},\n",
            rule.unwrap_or_default(),
            field.name,
            field.new_type(&ty)
        );
    }
    text += "}";

    let module = Module::needed(service, &arguments.module)?;
    let is_input = |item: &Item| {
        let attributes = match item {
            Item::Struct(item) => &item.attrs,
            Item::Enum(item) => &item.attrs,
            _ => return false,
        };
        attributes
            .iter()
            .any(|attribute| attribute.path().is_ident("input"))
    };
    let mut plan = Plan::default();
    let edit = module.add(&text, module.after(is_input))?;
    module.change(&mut plan, [edit]);
    Ok((
        plan,
        format!("Take it in a handler, as `Json(sent): Json<{ty}>` or `Query(sent): Query<{ty}>`."),
    ))
}
