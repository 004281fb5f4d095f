//! What a `#[problem]` enum says, and every rule that it must keep.

use heck::ToKebabCase as _;
use proc_macro2::TokenStream;
use syn::{Attribute, Data, DeriveInput, Expr, Lit, LitStr, Variant};

use crate::report::Report;

pub(super) struct Model {
    /// The item without the attributes that are ours.
    pub(super) item: DeriveInput,
    pub(super) answers: Vec<Answer>,
}

/// What one variant answers.
pub(super) struct Answer {
    pub(super) variant: Variant,
    pub(super) kind: String,
    pub(super) status: u16,
    pub(super) title: Option<LitStr>,
    pub(super) detail: Option<LitStr>,
}

const EXAMPLE: &str = "write `#[problem(status = 409, title = \"…\")]` above the variant";

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
            "P0452",
            "`#[problem]` on the enum takes no options",
            EXAMPLE,
        );
    }
    if !item.generics.params.is_empty() {
        report.add(
            &item.generics,
            "P0452",
            "a problem cannot be generic",
            "remove the parameters",
        );
    }
    let Data::Enum(data) = &mut item.data else {
        report.add(
            &item.ident,
            "P0452",
            "problems are an enum, one variant for each answer",
            "write `enum Trouble { #[problem(status = 409, title = \"…\")] TitleTaken }`",
        );
        return Some(Model {
            item,
            answers: Vec::new(),
        });
    };
    let answers = data
        .variants
        .iter_mut()
        .map(|variant| answer(variant, report))
        .collect();
    Some(Model { item, answers })
}

fn answer(variant: &mut Variant, report: &mut Report) -> Answer {
    let ours = |attribute: &Attribute| attribute.path().is_ident("problem");
    let attributes: Vec<_> = variant
        .attrs
        .iter()
        .filter(|attribute| ours(attribute))
        .cloned()
        .collect();
    variant.attrs.retain(|attribute| !ours(attribute));
    let mut answer = Answer {
        kind: variant.ident.to_string().to_kebab_case(),
        variant: variant.clone(),
        status: 0,
        title: None,
        detail: None,
    };
    let mut sound = true;
    for attribute in &attributes {
        let parsed = attribute.parse_nested_meta(|meta| {
            let name = meta
                .path
                .get_ident()
                .map(ToString::to_string)
                .unwrap_or_default();
            let value: Expr = meta.value()?.parse()?;
            sound &= match name.as_str() {
                "status" => status(&mut answer, &value, report),
                "title" => text(&mut answer.title, &name, &value, report),
                "detail" => text(&mut answer.detail, &name, &value, report),
                _ => {
                    report.add(
                        &meta.path,
                        "P0452",
                        "`problem` has no such option",
                        "write `status = 409`, `title = \"…\"` or `detail = \"…\"`",
                    );
                    false
                }
            };
            Ok(())
        });
        if let Err(error) = parsed {
            report.add(
                attribute,
                "P0452",
                &format!("`problem` cannot be read: {error}"),
                EXAMPLE,
            );
            sound = false;
        }
    }
    if sound && (answer.status == 0 || answer.title.is_none()) {
        let missing = if answer.status == 0 {
            "status"
        } else {
            "title"
        };
        report.add(
            &variant.ident,
            "P0453",
            &format!("this problem has no {missing}"),
            EXAMPLE,
        );
    }
    answer
}

fn status(answer: &mut Answer, value: &Expr, report: &mut Report) -> bool {
    let number = match value {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Int(number) => number.base10_parse::<u16>().ok(),
            _ => None,
        },
        _ => None,
    };
    answer.status = number.unwrap_or(0);
    let fits = (400..=599).contains(&answer.status);
    if !fits {
        report.add(
            value,
            "P0454",
            "a problem answers with a status from 400 to 599",
            "write a number, such as 409 for a conflict or 422 for a broken rule",
        );
    }
    fits
}

fn text(into: &mut Option<LitStr>, name: &str, value: &Expr, report: &mut Report) -> bool {
    if let Expr::Lit(literal) = value
        && let Lit::Str(text) = &literal.lit
    {
        if text.value().contains(['{', '}']) {
            report.add(
                text,
                "P0451",
                &format!("the {name} for the client is not a format string"),
                "write the text without braces: nothing is put in",
            );
            return false;
        }
        *into = Some(text.clone());
        return true;
    }
    report.add(value, "P0451", &format!("the {name} for the client is a literal"), "write the text in quotes; what was computed belongs into the log: `Error::from(problem).caused_by(error)`");
    false
}
