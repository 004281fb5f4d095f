//! What a `#[settings]` struct says, and every rule that it must keep.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Data, DeriveInput, Expr, ExprRange, Field, Fields, Lit, RangeLimits, Type};

use crate::report::Report;

pub(super) struct Model {
    /// The item without the attributes that are ours.
    pub(super) item: DeriveInput,
    pub(super) settings: Vec<Setting>,
}

pub(super) struct Setting {
    pub(super) ident: syn::Ident,
    pub(super) ty: Type,
    pub(super) default: Option<String>,
    pub(super) limit: Option<Limit>,
}

pub(super) struct Limit {
    pub(super) length: bool,
    pub(super) lowest: Option<String>,
    pub(super) highest: Option<String>,
}

pub(super) fn model(
    attribute: TokenStream,
    item: TokenStream,
    report: &mut Report,
) -> Option<Model> {
    let mut item: DeriveInput = match syn::parse2(item) {
        Ok(item) => item,
        Err(error) => {
            report.push(error);
            return None;
        }
    };
    if !attribute.is_empty() {
        report.add(
            &attribute,
            "P0803",
            "`#[settings]` takes no options",
            "write them on a field: `#[setting(default = \"…\")]`",
        );
    }
    if !item.generics.params.is_empty() {
        report.add(
            &item.generics,
            "P0801",
            "settings cannot be generic",
            "write the types out",
        );
    }
    let help = "write `struct Settings { name: String }`";
    let Data::Struct(data) = &mut item.data else {
        report.add(
            &item.ident,
            "P0801",
            "settings are a struct with named fields",
            help,
        );
        return Some(Model {
            item,
            settings: Vec::new(),
        });
    };
    let Fields::Named(fields) = &mut data.fields else {
        report.add(
            &item.ident,
            "P0801",
            "settings are a struct with named fields",
            help,
        );
        return Some(Model {
            item,
            settings: Vec::new(),
        });
    };
    let settings = fields
        .named
        .iter_mut()
        .filter_map(|field| setting(field, report))
        .collect();
    Some(Model { item, settings })
}

fn setting(field: &mut Field, report: &mut Report) -> Option<Setting> {
    let ours = |attribute: &syn::Attribute| attribute.path().is_ident("setting");
    let attributes: Vec<_> = field
        .attrs
        .iter()
        .filter(|attribute| ours(attribute))
        .cloned()
        .collect();
    field.attrs.retain(|attribute| !ours(attribute));
    let mut setting = Setting {
        ident: field.ident.clone()?,
        ty: field.ty.clone(),
        default: None,
        limit: None,
    };
    plain_secret(&setting, report);
    for attribute in attributes {
        let parsed = attribute.parse_nested_meta(|meta| {
            let name = meta
                .path
                .get_ident()
                .map(ToString::to_string)
                .unwrap_or_default();
            if !["default", "range", "length"].contains(&name.as_str()) {
                if let Ok(value) = meta.value() {
                    let _: Expr = value.parse()?;
                }
                report.add(
                    &meta.path,
                    "P0803",
                    "`setting` has no such option",
                    "write `default = …`, `range = 1..=100` or `length = 1..=80`",
                );
                return Ok(());
            }
            let value: Expr = meta.value()?.parse()?;
            match name.as_str() {
                "default" => default(&mut setting, &value, report),
                name => limit(&mut setting, name == "length", &value, report),
            }
            Ok(())
        });
        if let Err(error) = parsed {
            report.add(
                &attribute,
                "P0803",
                &format!("`setting` cannot be read: {error}"),
                "write `#[setting(default = \"…\", range = 1..=100)]`",
            );
        }
    }
    outside_its_limit(&setting, report);
    Some(setting)
}

/// A name that says secret on a type that does not keep it.
fn plain_secret(setting: &Setting, report: &mut Report) {
    let ty = setting.ty.to_token_stream().to_string().replace(' ', "");
    let name = setting.ident.to_string();
    let words = [
        "password",
        "passwd",
        "secret",
        "token",
        "api_key",
        "apikey",
        "private_key",
        "credential",
        "passphrase",
    ];
    let named = words.iter().any(|word| {
        name == *word || name.ends_with(&format!("_{word}")) || name.ends_with(&format!("{word}s"))
    });
    if named
        && [
            "String",
            "Option<String>",
            "Vec<String>",
            "std::string::String",
        ]
        .contains(&ty.as_str())
    {
        report.add(
            &setting.ty,
            "P0805",
            &format!("`{name}` is a secret by its name, but `{ty}` can be printed"),
            &format!(
                "write `{}`",
                ty.replace("std::string::String", "String")
                    .replace("String", "Secret<String>")
            ),
        );
    }
}

fn is_secret(ty: &Type) -> bool {
    let text = ty.to_token_stream().to_string().replace(' ', "");
    text.contains("Secret<") || text == "Key" || text.ends_with("::Key") || text.contains("<Key>")
}

fn default(setting: &mut Setting, value: &Expr, report: &mut Report) {
    let optional = setting
        .ty
        .to_token_stream()
        .to_string()
        .starts_with("Option ");
    if is_secret(&setting.ty) {
        report.add(
            value,
            "P0806",
            "a secret has no default: everybody who reads the code would know it",
            "remove the default; the service says at start when the secret is missing",
        );
    } else if optional {
        report.add(
            value,
            "P0807",
            "an optional setting with a default is never absent",
            "remove `Option`, or remove the default",
        );
    } else {
        setting.default = literal(value, report);
    }
}

fn limit(setting: &mut Setting, length: bool, value: &Expr, report: &mut Report) {
    let Expr::Range(ExprRange {
        start, end, limits, ..
    }) = value
    else {
        report.add(
            value,
            "P0803",
            "a limit is a range",
            "write `1..=100`, `1..` or `..=100`",
        );
        return;
    };
    if matches!(limits, RangeLimits::HalfOpen(_)) && end.is_some() {
        report.add(
            value,
            "P0803",
            "`..` leaves the end out, which a limit's reader overlooks",
            "write `..=` and the largest value that is allowed",
        );
        return;
    }
    let mut bound = |side: &Option<Box<Expr>>| side.as_ref().and_then(|side| literal(side, report));
    let limit = Limit {
        length,
        lowest: bound(start),
        highest: bound(end),
    };
    let number = |text: &Option<String>| text.as_ref().and_then(|text| text.parse::<f64>().ok());
    if let (Some(low), Some(high)) = (number(&limit.lowest), number(&limit.highest))
        && low > high
    {
        report.add(
            value,
            "P0807",
            "no value is within this limit",
            "write the smaller bound first",
        );
    }
    setting.limit = Some(limit);
}

fn outside_its_limit(setting: &Setting, report: &mut Report) {
    let (Some(default), Some(limit)) = (&setting.default, &setting.limit) else {
        return;
    };
    let value = match limit.length {
        true => Some(default.chars().count() as f64),
        false => default.parse::<f64>().ok(),
    };
    let bound = |text: &Option<String>| text.as_ref().and_then(|text| text.parse::<f64>().ok());
    let below = value
        .zip(bound(&limit.lowest))
        .is_some_and(|(value, low)| value < low);
    let above = value
        .zip(bound(&limit.highest))
        .is_some_and(|(value, high)| value > high);
    if below || above {
        report.add(
            &setting.ident,
            "P0807",
            "the default breaks the setting's own limit",
            "change the default or the limit",
        );
    }
}

/// A literal as it would stand in a variable.
fn literal(value: &Expr, report: &mut Report) -> Option<String> {
    let text = match value {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) => Some(text.value()),
            Lit::Int(number) => Some(number.base10_digits().to_owned()),
            Lit::Float(number) => Some(number.base10_digits().to_owned()),
            Lit::Bool(value) => Some(value.value.to_string()),
            _ => None,
        },
        Expr::Unary(unary) if matches!(unary.op, syn::UnOp::Neg(_)) => {
            return literal(&unary.expr, report).map(|text| format!("-{text}"));
        }
        _ => None,
    };
    if text.is_none() {
        report.add(
            value,
            "P0803",
            "this is not a literal",
            "write text in quotes, a number, `true` or `false`",
        );
    }
    text
}
