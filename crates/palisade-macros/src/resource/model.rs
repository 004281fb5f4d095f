//! What `#[resource]` and `#[row]` say, and what is wrong with it.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Expr, Fields, Ident, ItemStruct, Lit, MetaNameValue, Token, Type};

use crate::report::Report;

pub(super) struct Model {
    pub(super) item: TokenStream,
    pub(super) name: Option<Ident>,
    pub(super) fields: Vec<(Ident, Type)>,
    pub(super) table: Option<Table>,
    pub(super) report: Report,
}

pub(super) struct Table {
    pub(super) name: String,
    pub(super) owner: Option<Owner>,
}

pub(super) struct Owner {
    pub(super) column: String,
    /// Its place among the fields.
    pub(super) at: usize,
    pub(super) ty: Type,
    /// What becomes of its rows with its account, when that is said.
    pub(super) on_delete: Option<OnDelete>,
    /// The output that stands for a row in an export.
    pub(super) export: Option<Type>,
}

#[derive(Clone)]
pub(super) enum OnDelete {
    Remove,
    Detach(Expr),
}

pub(super) fn row(attribute: TokenStream, item: TokenStream) -> Model {
    let mut model = fields(item, "#[row]");
    if !attribute.is_empty() {
        model.report.add(
            &attribute,
            "P0512",
            "`#[row]` takes nothing",
            "write `#[row]`; a table and an owner belong to `#[resource]`",
        );
    }
    model
}

pub(super) fn resource(attribute: TokenStream, item: TokenStream) -> Model {
    let mut model = fields(item, "#[resource]");
    let Some(name) = model.name.clone() else {
        return model;
    };
    let Said {
        table,
        owner,
        unowned,
        on_delete,
        export,
    } = said(attribute, &name, &mut model.report);
    if model.report.is_empty() && table.is_none() {
        model.report.add(
            &name,
            "P0512",
            "this resource names no table",
            "add `table = \"notes\"` to `#[resource(…)]`",
        );
    }
    if model.report.is_empty() && owner.is_none() && !unowned {
        model.report.add(
            &name,
            "P0512",
            "this resource does not say whom it belongs to",
            "add `owner = \"owner_id\"`, or `unowned = \"why it belongs to nobody\"`",
        );
    }
    if let (None, Some(place)) = (&owner, on_delete.as_ref().or(export.as_ref()))
        && model.report.is_empty()
    {
        model.report.add(
            place,
            "P0512",
            "what belongs to nobody is not part of an account",
            "take `on_delete` and `export` out, or name the owner column: `owner = \"owner_id\"`",
        );
    }
    let mut of_account = None;
    if let Some((column, place)) = owner {
        match model.fields.iter().position(|(field, _)| *field == column) {
            Some(at) => {
                of_account = Some(Owner {
                    at,
                    ty: model.fields[at].1.clone(),
                    column,
                    on_delete: on_delete
                        .and_then(|value| self::on_delete(value, &mut model.report)),
                    export: export.and_then(|value| view(value, &mut model.report)),
                });
            }
            None => model.report.add(
                &place,
                "P0512",
                "the owner column is not a field of this struct",
                "add it as a field, `owner_id: Id<Account>`",
            ),
        }
    }
    if model.report.is_empty() && !model.fields.iter().any(|(field, _)| field == "id") {
        model.report.add(
            &name,
            "P0512",
            "a resource has an `id`",
            "add the field `id: Id<Self type>`",
        );
    }
    model.table = table.map(|name| Table {
        name,
        owner: of_account,
    });
    model
}

/// What stands in the attribute.
#[derive(Default)]
struct Said {
    table: Option<String>,
    owner: Option<(String, Expr)>,
    unowned: bool,
    on_delete: Option<Expr>,
    export: Option<Expr>,
}

fn said(attribute: TokenStream, name: &Ident, report: &mut Report) -> Said {
    let mut said = Said::default();
    let Ok(pairs) = Punctuated::<MetaNameValue, Token![,]>::parse_terminated.parse2(attribute)
    else {
        report.add(
            name,
            "P0512",
            "`#[resource]` names its table and its owner column",
            "write `#[resource(table = \"notes\", owner = \"owner_id\")]`",
        );
        return said;
    };
    for pair in pairs {
        let text = text(&pair.value);
        match pair.path.to_token_stream().to_string().as_str() {
            "table" => said.table = text.filter(|text| is_identifier(text)),
            "owner" => said.owner = text.map(|text| (text, pair.value)),
            "unowned" => said.unowned = text.is_some_and(|reason| reason.trim().len() >= 8),
            "on_delete" => said.on_delete = Some(pair.value),
            "export" => said.export = Some(pair.value),
            _ => report.add(
                &pair.path,
                "P0512",
                "`#[resource]` does not know this",
                "it takes `table`, and `owner` with `on_delete` and `export`, or `unowned = \"reason\"`",
            ),
        }
    }
    said
}

fn on_delete(value: Expr, report: &mut Report) -> Option<OnDelete> {
    match text(&value).as_deref() {
        Some("remove") => Some(OnDelete::Remove),
        Some("detach") => Some(OnDelete::Detach(value)),
        _ => {
            report.add(
                &value,
                "P0512",
                "rows are either removed or detached when their owner's account is deleted",
                "write `on_delete = \"remove\"` or `on_delete = \"detach\"`",
            );
            None
        }
    }
}

fn view(value: Expr, report: &mut Report) -> Option<Type> {
    match syn::parse2(value.to_token_stream()) {
        Ok(ty) => Some(ty),
        Err(_) => {
            report.add(
                &value,
                "P0512",
                "what stands for a row in an export is an `#[output]` type",
                "write `export = NoteView`, without quotes",
            );
            None
        }
    }
}

fn fields(item: TokenStream, attribute: &str) -> Model {
    let mut report = Report::default();
    let parsed = syn::parse2::<ItemStruct>(item.clone());
    let (name, fields) = match &parsed {
        Ok(ItemStruct {
            ident,
            fields: Fields::Named(named),
            generics,
            ..
        }) if generics.params.is_empty() => {
            let pairs = named
                .named
                .iter()
                .filter_map(|field| Some((field.ident.clone()?, field.ty.clone())));
            (Some(ident.clone()), pairs.collect())
        }
        Ok(other) => {
            report.add(
                &other.ident,
                "P0512",
                &format!("`{attribute}` stands on a struct with named fields and no generics"),
                "write `struct Note { id: Id<Note>, title: String }`",
            );
            (None, Vec::new())
        }
        Err(_) => {
            report.add(
                &item,
                "P0512",
                &format!("`{attribute}` stands on a struct"),
                "write `struct Note { id: Id<Note>, title: String }`",
            );
            (None, Vec::new())
        }
    };
    Model {
        item,
        name,
        fields,
        table: None,
        report,
    }
}

fn text(value: &Expr) -> Option<String> {
    match value {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

fn is_identifier(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
