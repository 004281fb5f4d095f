//! `palisade generate handler`: one handler with its guard, in a module and in its routes.

use clap::{Args, ValueEnum};
use heck::ToSnakeCase as _;
use quote::ToTokens as _;
use syn::visit::Visit;
use syn::{Item, Type};

use super::layout::signature;
use super::module::{Module, register};
use super::plan::Plan;
use super::service::Service;
use super::source::Edit;
use super::words::not_snake;
use crate::Failure;
use crate::new::KEYWORDS;

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

#[derive(Args)]
pub(crate) struct Arguments {
    /// What the function is called, such as `publish`
    name: String,
    /// The method that it answers
    #[arg(ignore_case = true)]
    method: Method,
    /// The path that it answers, such as `/notes/{note}/publish`
    path: String,
    /// Who may call it: `Public`, `SignedIn`, `Can<Action, T>` or `Can<Permission>`
    #[arg(long, value_name = "GUARD")]
    guard: Option<String>,
    /// The module that it stands in; its own one when none is named
    #[arg(long = "in", value_name = "MODULE")]
    module: Option<String>,
    /// Show what would be written, as a diff, and write nothing
    #[arg(long)]
    pub(super) dry_run: bool,
}

pub(super) const HELP: &str = "\
Examples:
  palisade generate handler publish post '/notes/{note}/publish' --guard 'Can<Edit, Note>' --in notes
  palisade generate handler welcome get /welcome --guard Public";

/// What there is to do, and what may be next.
pub(super) fn plan(service: &Service, arguments: &Arguments) -> Result<(Plan, String), Failure> {
    let Arguments {
        name, method, path, ..
    } = arguments;
    let keyword = || {
        KEYWORDS
            .contains(&name.as_str())
            .then(|| "it is a keyword of Rust".to_owned())
    };
    let taken = || (name == "routes").then(|| "the list of the routes is called so".to_owned());
    if let Some(wrong) = not_snake(name).or_else(keyword).or_else(taken) {
        return Err(Failure::usage(format!(
            "`{name}` cannot be a handler's name: {wrong}."
        )));
    }
    let guard = guard(arguments)?;
    parameters_fit(path, &guard)?;
    let text = handler(name, *method, path, &guard);

    let module = arguments.module.as_deref().unwrap_or(name);
    let mut plan = Plan::default();
    match Module::find(service, module)? {
        Some(module) => {
            let at = before_routes(&module);
            let edits = [module.add(&text, at)?, listed(&module, name)?];
            module.change(&mut plan, edits);
        }
        None => {
            let text = format!(
                "//! {}.\n\nuse palisade::endpoint::Routes;\nuse palisade::prelude::*;\n\n{text}\n\npub(crate) fn routes() -> Routes {{\n    routes![{name}]\n}}\n",
                sentence(module)
            );
            plan.write(service, &format!("src/{module}.rs"), text)?;
        }
    }
    let routes = format!("{module}::routes()");
    register(
        service,
        &mut plan,
        module,
        |app| vec![app.call("routes", &routes, &["routes", "role", "migrations"])],
        &format!(".routes({routes})"),
    )?;
    Ok((
        plan,
        "It answers 204 until you write what it does.".to_owned(),
    ))
}

fn guard(arguments: &Arguments) -> Result<Type, Failure> {
    let Some(guard) = &arguments.guard else {
        return Err(Failure::usage(
            "Who may call it? Say `--guard Public`, `--guard SignedIn` or `--guard 'Can<Action, T>'`; there is no default.",
        ));
    };
    syn::parse_str(guard).map_err(|_| {
        Failure::usage(format!(
            "`{guard}` is no guard: write `SignedIn` or `Can<Edit, Note>`."
        ))
    })
}

/// `note` for `Can<Edit, Note>`.
fn object(guard: &Type) -> Option<String> {
    let Type::Path(path) = guard else { return None };
    let last = path
        .path
        .segments
        .last()
        .filter(|last| last.ident == "Can")?;
    let syn::PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    let Some(syn::GenericArgument::Type(Type::Path(object))) = arguments.args.iter().nth(1) else {
        return None;
    };
    Some(
        object
            .path
            .segments
            .last()?
            .ident
            .to_string()
            .to_snake_case(),
    )
}

/// The path names what the guard reads, and nothing else.
fn parameters_fit(path: &str, guard: &Type) -> Result<(), Failure> {
    let odd = |letter: char| {
        letter.is_whitespace() || letter.is_control() || matches!(letter, '"' | '\\' | '?' | '#')
    };
    if !path.starts_with('/') || path.contains(odd) {
        return Err(Failure::usage(format!(
            "`{path}` is no path: write it as in `/notes/{{note}}/publish`."
        )));
    }
    let named: Vec<_> = path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .collect();
    let read = object(guard);
    if let Some(object) = read.as_deref().filter(|object| !named.contains(object)) {
        return Err(Failure::usage(format!(
            "The guard reads `{{{object}}}`, which is not in `{path}`: put it there."
        )));
    }
    match named.iter().find(|name| Some(**name) != read.as_deref()) {
        None => Ok(()),
        Some(name) => Err(Failure::usage(format!(
            "Nothing reads `{{{name}}}` of the path: take a guard of it, such as `Can<Read, …>`, or write the handler by hand."
        ))),
    }
}

fn handler(name: &str, method: Method, path: &str, guard: &Type) -> String {
    let word = method
        .to_possible_value()
        .map(|value| value.get_name().to_owned())
        .unwrap_or_default();
    let guard = spelled(guard);
    let limit = match method {
        Method::Get => "",
        _ if guard == "Public" => ", limit = \"10/min\"",
        _ => ", limit = \"30/min\"",
    };
    let head = signature(name, &[format!("_: {guard}")], "Result<NoContent>");
    format!("#[{word}(\"{path}\"{limit})]\n{head}\n    Ok(NoContent)\n}}")
}

/// `Can<Edit, Note>`, as it is written by hand.
fn spelled(guard: &Type) -> String {
    let text = guard.to_token_stream().to_string();
    text.replace(" < ", "<")
        .replace(" >", ">")
        .replace(" ,", ",")
        .replace(" :: ", "::")
}

fn sentence(module: &str) -> String {
    let words = module.replace('_', " ");
    let mut letters = words.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// The end of what stands before the list of the routes.
fn before_routes(module: &Module) -> usize {
    let at = module
        .items()
        .iter()
        .position(|item| matches!(item, Item::Fn(item) if item.sig.ident == "routes"));
    match at.and_then(|at| at.checked_sub(1)) {
        Some(before) => module.source.bytes(&module.items()[before]).end,
        None => module.after(|_| true),
    }
}

/// The name in `routes![…]`; nothing when it is there.
fn listed(module: &Module, name: &str) -> Result<Option<Edit>, Failure> {
    struct Lists<'a>(Vec<&'a syn::Macro>);
    impl<'a> Visit<'a> for Lists<'a> {
        fn visit_macro(&mut self, found: &'a syn::Macro) {
            if found.path.is_ident("routes") {
                self.0.push(found);
            }
        }
    }
    let mut lists = Lists(Vec::new());
    lists.visit_file(&module.source.file);
    let [list] = lists.0[..] else {
        return Err(Failure::other(format!(
            "`{}` has no single `routes![…]` to put `{name}` into: write it there yourself, then run this again. Nothing was written.",
            module.source.name()
        )));
    };
    let tokens: Vec<_> = list.tokens.clone().into_iter().collect();
    if tokens.iter().any(|token| token.to_string() == name) {
        return Ok(None);
    }
    let Some(last) = tokens.last() else {
        let at = module.source.bytes(&list.delimiter.span().open()).end;
        return Ok(Some(module.source.insert(at, name.to_owned())));
    };
    let comma = if last.to_string() == "," { " " } else { ", " };
    let at = module.source.bytes(&last.span()).end;
    Ok(Some(module.source.insert(at, format!("{comma}{name}"))))
}
