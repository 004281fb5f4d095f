//! What an `#[input]` says, and what is wrong with it.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Fields, Ident, Item, Type, parse_quote};

use crate::report::Report;
use crate::shape::{self, Field, Options};

pub(super) struct Model {
    pub(super) item: TokenStream,
    pub(super) name: Option<Ident>,
    pub(super) shape: Shape,
    pub(super) options: Options,
    /// Whether garde checks rules of this type.
    pub(super) ruled: bool,
    pub(super) report: Report,
}

pub(super) enum Shape {
    Struct(Vec<InputField>),
    /// Variants without fields: text on the wire.
    Names(Vec<(Ident, String)>),
    /// Variants with fields, told apart by a member.
    Tagged(Vec<(Ident, String, Vec<InputField>)>),
}

pub(super) struct InputField {
    pub(super) field: Field,
    /// Whether a garde rule bounds a plain type.
    pub(super) raw: bool,
}

const OF_TYPE: &[&str] = &["rename_all", "tag", "strip_unknown"];
const OF_FIELD: &[&str] = &["rename", "default"];

pub(super) fn model(attribute: TokenStream, item: TokenStream) -> Model {
    let mut report = Report::default();
    let options = shape::options(attribute, OF_TYPE, "P0304", &mut report);
    let mut model = Model {
        item: item.clone(),
        name: None,
        shape: Shape::Struct(Vec::new()),
        options,
        ruled: false,
        report,
    };
    let camel = model.options.camel_case;
    match syn::parse2::<Item>(item.clone()) {
        Ok(Item::Struct(mut item)) => {
            model.name = Some(item.ident.clone());
            if !item.generics.params.is_empty() {
                // Nothing is made of it: an impl would lack the generics and add an error.
                model.name = None;
                model.report.add(
                    &item.generics,
                    "P0304",
                    "an input has no generics",
                    "write a struct for each use",
                );
            }
            match &mut item.fields {
                Fields::Named(named) => {
                    let fields =
                        shape::fields(named, "input", OF_FIELD, "P0304", camel, &mut model.report);
                    let fields = rules(fields, &mut model.report);
                    model.ruled = fields.iter().any(|field| is_ruled(&field.field));
                    if model.ruled {
                        skip_the_rest(named);
                        item.attrs.push(parse_quote!(#[derive(::garde::Validate)]));
                    }
                    model.shape = Shape::Struct(fields);
                }
                _ => model.report.add(
                    &item.ident,
                    "P0304",
                    "an input has named members",
                    "write `struct NewNote { title: Text<1, 200> }`",
                ),
            }
            model.item = if model.report.is_empty() {
                item.into_token_stream()
            } else {
                bare_struct(item)
            };
        }
        Ok(Item::Enum(mut item)) => {
            model.name = Some(item.ident.clone());
            model.shape = variants(&mut item, &model.options, &mut model.report);
            model.item = item.into_token_stream();
        }
        Ok(other) => model.report.add(
            &other,
            "P0304",
            "`#[input]` stands on a struct or an enum",
            "write `#[input] struct NewNote { title: Text<1, 200> }`",
        ),
        Err(error) => model.report.push(error),
    }
    model
}

/// Without garde's attributes, which nothing would understand any more.
fn bare_struct(mut item: syn::ItemStruct) -> TokenStream {
    item.attrs.retain(|attribute| {
        !attribute.path().is_ident("derive") && !attribute.path().is_ident("garde")
    });
    for field in &mut item.fields {
        field
            .attrs
            .retain(|attribute| !attribute.path().is_ident("garde"));
    }
    item.into_token_stream()
}

fn variants(item: &mut syn::ItemEnum, options: &Options, report: &mut Report) -> Shape {
    let mut names = Vec::new();
    let mut tagged = Vec::new();
    for variant in &mut item.variants {
        let own = shape::take(&mut variant.attrs, "input")
            .map(|tokens| shape::options(tokens, &["rename"], "P0304", report));
        let name =
            shape::variant_name(&variant.ident, &own.unwrap_or_default(), options.camel_case);
        let fields = match &mut variant.fields {
            Fields::Unit => Vec::new(),
            Fields::Named(named) => rules(
                shape::fields(
                    named,
                    "input",
                    OF_FIELD,
                    "P0304",
                    options.camel_case,
                    report,
                ),
                report,
            ),
            Fields::Unnamed(_) => {
                report.add(
                    &variant.ident,
                    "P0304",
                    "a variant of an input has named members, or none",
                    "write `Rename { title: Text<1, 200> }`",
                );
                Vec::new()
            }
        };
        if fields.iter().any(|field| is_ruled(&field.field)) {
            report.add(
                &variant.ident,
                "P0304",
                "a garde rule cannot stand in a variant",
                "use bounded types here, or put the members into an `#[input]` struct of their own",
            );
        }
        names.push((variant.ident.clone(), name.clone()));
        tagged.push((variant.ident.clone(), name, fields));
    }
    let plain = item
        .variants
        .iter()
        .all(|variant| matches!(variant.fields, Fields::Unit));
    if !plain && options.tag.is_none() {
        report.add(
            &item.ident,
            "P0304",
            "nothing says which variant was sent",
            "name the member that tells: `#[input(tag = \"kind\")]`",
        );
    }
    if options.tag.is_some() {
        Shape::Tagged(tagged)
    } else {
        Shape::Names(names)
    }
}

fn is_ruled(field: &Field) -> bool {
    field
        .attrs
        .iter()
        .any(|attribute| attribute.path().is_ident("garde"))
}

fn skip_the_rest(named: &mut syn::FieldsNamed) {
    for field in &mut named.named {
        if !field
            .attrs
            .iter()
            .any(|attribute| attribute.path().is_ident("garde"))
        {
            field.attrs.push(parse_quote!(#[garde(skip)]));
        }
    }
}

/// Checks that every plain type has the rule that bounds it.
fn rules(fields: Vec<Field>, report: &mut Report) -> Vec<InputField> {
    fields
        .into_iter()
        .map(|field| {
            let said: String = field
                .attrs
                .iter()
                .filter(|attribute| attribute.path().is_ident("garde"))
                .map(|attribute| attribute.meta.to_token_stream().to_string())
                .collect();
            if said.contains("skip") || said.contains("allow_unvalidated") || said.contains("dive")
            {
                report.add(
                    &field.ty,
                    "P0305",
                    "an input's rule cannot be skipped",
                    "take the attribute away: bounded types and nested inputs check themselves",
                );
                return InputField { field, raw: false };
            }
            let raw = want(&field.ty, &said, report);
            InputField { field, raw }
        })
        .collect()
}

/// Whether the type is plain; says what it lacks when no rule bounds it.
fn want(ty: &Type, said: &str, report: &mut Report) -> bool {
    let Some((name, inner)) = last_segment(ty) else {
        return false;
    };
    let ranged = said.contains("range");
    let measured = said.contains("length") && (said.contains("max") || said.contains("equal"));
    match name.as_str() {
        "Option" | "Change" => inner.is_some_and(|inner| want(inner, said, report)),
        "String" => {
            if !measured {
                report.add(
                    ty,
                    "P0303",
                    "this text has no maximum",
                    "write `Text<1, 200>`, or add `#[garde(length(chars, max = 200))]`",
                );
            }
            true
        }
        "i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64" | "f32" | "f64" => {
            if !ranged {
                report.add(
                    ty,
                    "P0303",
                    "this number has no bounds",
                    "write `Int<1, 500>`, or add `#[garde(range(min = 1, max = 500))]`",
                );
            }
            true
        }
        "Vec" => {
            if !measured {
                report.add(
                    ty,
                    "P0303",
                    "this list has no maximum",
                    "write `List<T, 20>`, or add `#[garde(length(max = 20))]`",
                );
                return true;
            }
            let inner_rule = said
                .split_once("inner")
                .map(|(_, rule)| rule)
                .unwrap_or_default();
            if let Some(inner) = inner
                && !want(inner, inner_rule, report)
            {
                report.add(
                    ty,
                    "P0303",
                    "a `Vec` holds plain values",
                    "write `List<T, 20>` for a list of bounded types or inputs",
                );
            }
            true
        }
        "HashMap" | "BTreeMap" | "Value" | "HashSet" | "BTreeSet" => {
            let instead = if name == "Value" {
                "declare the members in an `#[input]` type; free-form JSON is not an input"
            } else {
                "write `Map<K, V, 20>` or `Set<T, 20>`, which carry their maximum"
            };
            report.add(ty, "P0303", "nothing bounds what this lets in", instead);
            false
        }
        _ => false,
    }
}

fn last_segment(ty: &Type) -> Option<(String, Option<&Type>)> {
    let Type::Path(path) = ty else { return None };
    let segment = path.path.segments.last()?;
    let inner = match &segment.arguments {
        syn::PathArguments::AngleBracketed(arguments) => {
            arguments.args.iter().find_map(|argument| match argument {
                syn::GenericArgument::Type(ty) => Some(ty),
                _ => None,
            })
        }
        _ => None,
    };
    Some((segment.ident.to_string(), inner))
}
