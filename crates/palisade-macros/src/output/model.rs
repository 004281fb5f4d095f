//! What an `#[output]` says, and what is wrong with it.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Fields, Ident, Item};

use crate::report::Report;
use crate::shape::{self, Field, Options};

pub(super) struct Model {
    pub(super) item: TokenStream,
    pub(super) name: Option<Ident>,
    pub(super) shape: Shape,
    pub(super) options: Options,
    pub(super) report: Report,
}

pub(super) enum Shape {
    Struct(Vec<Field>),
    Enum(Vec<(Ident, String, Vec<Field>)>),
}

const OF_TYPE: &[&str] = &["rename_all", "tag", "from"];
const OF_FIELD: &[&str] = &["rename", "from", "with"];

pub(super) fn model(attribute: TokenStream, item: TokenStream) -> Model {
    let mut report = Report::default();
    let options = shape::options(attribute, OF_TYPE, "P0404", &mut report);
    let camel = options.camel_case;
    let mut model = Model {
        item: item.clone(),
        name: None,
        shape: Shape::Struct(Vec::new()),
        options,
        report,
    };
    match syn::parse2::<Item>(item) {
        Ok(Item::Struct(mut item)) => {
            model.name = Some(item.ident.clone());
            if !item.generics.params.is_empty() {
                // Nothing is made of it: an impl would lack the generics and add an error.
                model.name = None;
                model.report.add(
                    &item.generics,
                    "P0404",
                    "an output has no generics",
                    "write a struct for each use",
                );
            }
            match &mut item.fields {
                Fields::Named(named) => {
                    model.shape = Shape::Struct(shape::fields(
                        named,
                        "output",
                        OF_FIELD,
                        "P0404",
                        camel,
                        &mut model.report,
                    ))
                }
                _ => model.report.add(
                    &item.ident,
                    "P0404",
                    "an output has named members",
                    "write `struct NoteView { title: String }`",
                ),
            }
            model.item = item.into_token_stream();
        }
        Ok(Item::Enum(mut item)) => {
            model.name = Some(item.ident.clone());
            let mut variants = Vec::new();
            for variant in &mut item.variants {
                let own = shape::take(&mut variant.attrs, "output")
                    .map(|tokens| shape::options(tokens, &["rename"], "P0404", &mut model.report));
                let name = shape::variant_name(&variant.ident, &own.unwrap_or_default(), camel);
                let fields = match &mut variant.fields {
                    Fields::Unit => Vec::new(),
                    Fields::Named(named) => shape::fields(
                        named,
                        "output",
                        &["rename"],
                        "P0404",
                        camel,
                        &mut model.report,
                    ),
                    Fields::Unnamed(_) => {
                        model.report.add(
                            &variant.ident,
                            "P0404",
                            "a variant of an output has named members, or none",
                            "write `Renamed { title: String }`",
                        );
                        Vec::new()
                    }
                };
                variants.push((variant.ident.clone(), name, fields));
            }
            if model.options.tag.is_none()
                && item
                    .variants
                    .iter()
                    .any(|variant| !matches!(variant.fields, Fields::Unit))
            {
                model.report.add(
                    &item.ident,
                    "P0404",
                    "nothing would say which variant this is",
                    "name the member that tells: `#[output(tag = \"kind\")]`",
                );
            }
            if let Some(from) = &model.options.from {
                model.report.add(
                    from,
                    "P0404",
                    "an enum is not made from a row",
                    "write the `From` by hand",
                );
            }
            model.shape = Shape::Enum(variants);
            model.item = item.into_token_stream();
        }
        Ok(other) => model.report.add(
            &other,
            "P0404",
            "`#[output]` stands on a struct or an enum",
            "write `#[output] struct NoteView { title: String }`",
        ),
        Err(error) => model.report.push(error),
    }
    model
}
