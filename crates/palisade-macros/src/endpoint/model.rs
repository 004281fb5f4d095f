//! What a handler says, and what is wrong with it.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::parse::ParseStream;
use syn::parse::Parser;
use syn::{FnArg, Ident, ItemFn, LitStr, Pat, ReturnType, Token, Type};

use crate::report::Report;

pub(super) struct Model {
    pub(super) method: &'static str,
    pub(super) item: TokenStream,
    pub(super) function: Option<ItemFn>,
    pub(super) path: Option<LitStr>,
    pub(super) params: Vec<String>,
    pub(super) limit: Option<LitStr>,
    /// In milliseconds.
    pub(super) timeout: Option<u64>,
    pub(super) body: Option<u64>,
    pub(super) idempotent: Option<Ident>,
    pub(super) arguments: Vec<Argument>,
    pub(super) answer: Option<Type>,
    pub(super) report: Report,
}

pub(super) struct Argument {
    pub(super) ty: Type,
    /// The name in its pattern: `tag` of `tag: Ref<Tag>` and of `Path(tag): Path<Slug>`.
    pub(super) name: String,
}

pub(super) fn model(method: &'static str, attribute: TokenStream, item: TokenStream) -> Model {
    let mut model = Model {
        method,
        item: item.clone(),
        function: None,
        path: None,
        params: Vec::new(),
        limit: None,
        timeout: None,
        body: None,
        idempotent: None,
        arguments: Vec::new(),
        answer: None,
        report: Report::default(),
    };
    let verb = method.to_ascii_lowercase();
    match syn::parse2::<ItemFn>(item.clone()) {
        Ok(function) => model.function = Some(function),
        Err(_) => {
            model.report.add(
                &item,
                "P0101",
                "a handler is an `async fn`",
                &format!(
                    "write `#[{verb}(\"/notes\")] async fn name(user: SignedIn, …) -> Result<…>`"
                ),
            );
            return model;
        }
    }
    model.options(attribute, &verb);
    model.signature();
    model
}

impl Model {
    fn options(&mut self, attribute: TokenStream, verb: &str) {
        let mut extra = Vec::new();
        let mut idempotent = None;
        let parsed = (|input: ParseStream<'_>| {
            let path: LitStr = input.parse()?;
            while !input.is_empty() {
                input.parse::<Token![,]>()?;
                if input.is_empty() {
                    break;
                }
                let name: Ident = input.parse()?;
                if name == "idempotent" && !input.peek(Token![=]) {
                    idempotent = Some(name);
                    continue;
                }
                input.parse::<Token![=]>()?;
                extra.push((name, input.parse::<LitStr>()?));
            }
            Ok(path)
        })
        .parse2(attribute.clone());
        let Some(function) = &self.function else {
            return;
        };
        let Ok(path) = parsed else {
            self.report.add(
                &function.sig.ident,
                "P0101",
                "the attribute names the path",
                &format!("write `#[{verb}(\"/notes/{{note}}\")]`"),
            );
            return;
        };
        match params(&path.value()) {
            Ok(params) => self.params = params,
            Err(wrong) => self.report.add(&path, "P0101", wrong, "write a path like `/notes/{note}`: it begins with `/`, and each parameter is a whole segment in braces"),
        }
        self.path = Some(path);
        match idempotent {
            Some(name) if self.method == "GET" => self.report.add(
                &name,
                "P0101",
                "a `GET` handler changes nothing, so it is idempotent already",
                "take `idempotent` out, or make this a `#[post]`",
            ),
            idempotent => self.idempotent = idempotent,
        }
        for (name, value) in extra {
            match name.to_string().as_str() {
                "limit" if is_rate(&value.value()) || is_class(&value.value()) => {
                    self.limit = Some(value);
                }
                "limit" => self.report.add(
                    &value,
                    "P0101",
                    "this is not a rate",
                    "write a number and a time: `30/min`, `5/s`, `100/h`, `1000/day`, or the name of a class from `limits.classes`",
                ),
                "timeout" => match duration(&value.value()) {
                    Some(milliseconds) => self.timeout = Some(milliseconds),
                    None => self.report.add(
                        &value,
                        "P0101",
                        "this is not a time",
                        "write a number and a unit, 5 minutes at most: `500ms`, `30s`, `2m`",
                    ),
                },
                "body" => match size(&value.value()) {
                    Some(size) => self.body = Some(size),
                    None => self.report.add(
                        &value,
                        "P0101",
                        "this is not a size",
                        "write a number and a unit: `64 KiB`, `2 MiB`",
                    ),
                },
                _ => self.report.add(
                    &name,
                    "P0101",
                    "this option is not known here",
                    "there are `limit = \"30/min\"`, `body = \"2 MiB\"`, `timeout = \"30s\"` and `idempotent`",
                ),
            }
        }
    }

    fn signature(&mut self) {
        let Some(function) = &self.function else {
            return;
        };
        let signature = &function.sig;
        if signature.asyncness.is_none() {
            self.report.add(
                &signature.fn_token,
                "P0101",
                "a handler is an `async fn`",
                "write `async` before `fn`",
            );
        }
        if !signature.generics.params.is_empty() {
            self.report.add(
                &signature.generics,
                "P0101",
                "a handler has no generics",
                "name the types that it takes",
            );
        }
        for argument in &signature.inputs {
            match argument {
                FnArg::Typed(typed) => self.arguments.push(Argument {
                    ty: (*typed.ty).clone(),
                    name: name_of(&typed.pat),
                }),
                FnArg::Receiver(receiver) => self.report.add(
                    receiver,
                    "P0101",
                    "a handler is a free function",
                    "take `self`'s parts as `Service<T>`",
                ),
            }
        }
        if self.arguments.is_empty() {
            self.report.add(&signature.ident, "P0201", "this handler does not say who may call it", "make its first argument `_: Public`, `user: SignedIn` or `Can<Action, T>`; there is no default");
        }
        match &signature.output {
            ReturnType::Type(_, ty) => match result_of(ty) {
                Some(answer) => self.answer = Some(answer),
                None => self.report.add(
                    ty,
                    "P0108",
                    "a handler returns a `Result`",
                    &format!("write `-> Result<{}>`", ty.to_token_stream()),
                ),
            },
            ReturnType::Default => self.report.add(
                &signature.ident,
                "P0108",
                "this handler does not say what it answers",
                "write `-> Result<NoContent>` or `-> Result<Json<T>>`",
            ),
        }
    }
}

fn name_of(pattern: &Pat) -> String {
    match pattern {
        Pat::Ident(ident) => ident.ident.to_string(),
        Pat::TupleStruct(tuple) => tuple.elems.first().map(name_of).unwrap_or_default(),
        _ => String::new(),
    }
}

fn result_of(ty: &Type) -> Option<Type> {
    let Type::Path(path) = ty else { return None };
    let segment = path
        .path
        .segments
        .last()
        .filter(|segment| segment.ident == "Result")?;
    match &segment.arguments {
        syn::PathArguments::AngleBracketed(arguments) => {
            arguments.args.iter().find_map(|argument| match argument {
                syn::GenericArgument::Type(ty) => Some(ty.clone()),
                _ => None,
            })
        }
        _ => None,
    }
}

fn params(path: &str) -> Result<Vec<String>, &'static str> {
    if !path.starts_with('/') {
        return Err("a path begins with `/`");
    }
    let mut found: Vec<String> = Vec::new();
    for segment in path.split('/') {
        if let Some(name) = segment
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
        {
            if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                return Err("a parameter is named like a variable");
            }
            if found.iter().any(|other| other == name) {
                return Err("a parameter stands in the path twice");
            }
            found.push(name.to_owned());
        } else if segment.contains(['{', '}', ':', '*', '?', '#', ' ']) {
            return Err("a segment of the path is plain text or one parameter");
        }
    }
    Ok(found)
}

fn is_rate(text: &str) -> bool {
    text.split_once('/').is_some_and(|(count, time)| {
        count.parse::<u32>().is_ok_and(|count| count > 0)
            && matches!(time, "s" | "min" | "h" | "day")
    })
}

/// The name of a class: what `limits.classes` of the configuration takes.
fn is_class(text: &str) -> bool {
    text.len() <= 40
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn duration(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let factor = match &text[end..] {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        _ => return None,
    };
    let milliseconds = text[..end].parse::<u64>().ok()?.checked_mul(factor)?;
    (1..=300_000)
        .contains(&milliseconds)
        .then_some(milliseconds)
}

fn size(text: &str) -> Option<u64> {
    let (number, unit) = text.split_once(' ')?;
    let factor = match unit {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    number
        .parse::<u64>()
        .ok()
        .filter(|number| *number > 0)?
        .checked_mul(factor)
}
