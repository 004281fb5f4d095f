//! An enum of the columns that a list may be ordered by.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Expr, ExprLit, Fields, Item, Lit, LitStr, MetaNameValue};

use crate::report::Report;

pub(crate) fn columns(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let mut report = Report::default();
    let Ok(Item::Enum(mut order)) = syn::parse2::<Item>(item.clone()) else {
        report.add(
            &item,
            "P0513",
            "`#[columns]` stands on an enum",
            "write `#[columns(on = \"notes\")] enum NoteOrder { #[column(\"created_at desc\")] Newest }`",
        );
        return report.into_tokens();
    };
    let name = order.ident.clone();
    let on = on(attribute);
    if on.is_none() {
        report.add(
            &name,
            "P0513",
            "these columns belong to no table",
            "name it, `#[columns(on = \"notes\")]`, so that each of them is tried at start",
        );
    }
    let mut columns = Vec::new();
    let mut arms = Vec::new();
    for variant in &mut order.variants {
        let ident = &variant.ident;
        let at = variant
            .attrs
            .iter()
            .position(|attribute| attribute.path().is_ident("column"));
        let column = at
            .map(|at| variant.attrs.remove(at))
            .and_then(|attribute| attribute.parse_args::<LitStr>().ok());
        match column {
            Some(column) if is_order(&column.value()) && matches!(variant.fields, Fields::Unit) => {
                arms.push(quote!(Self::#ident => #column));
                columns.push(column);
            }
            _ => report.add(ident, "P0513", "this choice names no column", "write `#[column(\"title\")]` or `#[column(\"created_at desc\")]` above a variant without fields"),
        }
    }
    if !report.is_empty() {
        arms = vec![quote!(_ => "1")];
    }
    let registered = report.is_empty().then(|| {
        let text = name.to_string();
        quote! {
            const _: () = {
                #[::palisade::__private::linkme::distributed_slice(::palisade::__private::ORDERS)]
                #[linkme(crate = ::palisade::__private::linkme)]
                static ORDER: ::palisade::__private::OrderInfo = ::palisade::__private::OrderInfo {
                    name: #text,
                    on: #on,
                    columns: &[#(#columns),*],
                    file: ::core::file!(),
                    line: ::core::line!(),
                };
            };
        }
    });
    let errors = report.into_tokens();
    let order = order.into_token_stream();
    quote! {
        #order
        impl ::palisade::__private::OrderBy for #name {
            fn order(&self) -> &'static str {
                match self { #(#arms),* }
            }
        }
        #registered
        #errors
    }
}

/// What stands after `on = `: the table, or whatever may follow a `from`.
fn on(attribute: TokenStream) -> Option<LitStr> {
    let pair: MetaNameValue = syn::parse2(attribute).ok()?;
    match pair.value {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) if pair.path.is_ident("on") => Some(text),
        _ => None,
    }
}

/// `column`, `table.column`, several with commas, each with `asc` or `desc`.
fn is_order(text: &str) -> bool {
    text.split(',').all(|term| {
        let mut words = term.split_whitespace();
        let name = words.next().unwrap_or_default();
        let direction = words.next().unwrap_or("asc").to_ascii_lowercase();
        let is_name =
            |part: &str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_');
        name.split('.').all(is_name)
            && matches!(direction.as_str(), "asc" | "desc")
            && words.next().is_none()
    })
}
