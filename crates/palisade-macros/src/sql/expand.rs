//! The statement as tokens.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::model::{Part, Statement};
use super::parse::Call;
use crate::registry;
use crate::report::Report;

/// An expression of any type beside the errors, so that nothing follows from them.
pub(super) fn stand_in(report: Report) -> TokenStream {
    let errors = report.into_tokens();
    quote! {{ #errors ::core::panic!() }}
}

pub(super) fn expand(call: &Call, statement: &Statement) -> TokenStream {
    let checked = &statement.checked;
    let values = statement.values;
    let piece = call.on.is_some();
    let unscoped = match &call.unscoped {
        Some(reason) => quote!(::core::option::Option::Some(#reason)),
        None => quote!(::core::option::Option::None),
    };
    let (row, columns) = match &call.row {
        Some(row) => (
            quote!(::palisade::__private::Typed<#row>),
            quote_spanned!(row.span()=> ::core::option::Option::Some(::palisade::__private::columns_of::<#row>())),
        ),
        None => (
            quote!(::palisade::__private::Whatever),
            quote!(::core::option::Option::None),
        ),
    };
    let kind = if statement.writes {
        quote!(Writing)
    } else {
        quote!(Reading)
    };
    let made = if call.on.is_some() {
        let steps = steps(statement);
        quote! {{ let mut sql = ::palisade::__private::Builder::default(); #steps sql.into_piece() }}
    } else if statement.is_fixed() {
        let values = statement.parts.iter().filter_map(|part| {
            if let Part::Value(value) = part {
                Some(bound(value))
            } else {
                None
            }
        });
        quote!(::palisade::__private::Sql::<::palisade::__private::#kind, #row>::fixed(#checked, ::std::vec![#(#values),*]))
    } else {
        let steps = steps(statement);
        quote! {{
            let mut sql = ::palisade::__private::Builder::default();
            #steps
            sql.into_sql::<::palisade::__private::#kind, #row>()
        }}
    };
    let registered = registry::is_open().then(|| {
        quote! {
        #[::palisade::__private::linkme::distributed_slice(::palisade::__private::STATEMENTS)]
        #[linkme(crate = ::palisade::__private::linkme)]
        static STATEMENT: ::palisade::__private::StatementInfo = ::palisade::__private::StatementInfo {
            text: #checked,
            values: #values,
            file: ::core::file!(),
            line: ::core::line!(),
            piece: #piece,
            unscoped: #unscoped,
            columns: #columns,
        };
        }
    });
    quote! {{
        #registered
        #made
    }}
}

fn bound(value: &syn::Expr) -> TokenStream {
    quote_spanned!(value.span()=> ::palisade::__private::bind(&(#value)))
}

fn steps(statement: &Statement) -> TokenStream {
    statement
        .parts
        .iter()
        .map(|part| match part {
            Part::Text(text) => quote!(sql.text(#text);),
            Part::Value(value) => {
                let value = bound(value);
                quote!(sql.value(#value);)
            }
            Part::List(list) => quote_spanned!(list.span()=> sql.list(&(#list));),
            Part::Piece(piece) => quote_spanned!(piece.span()=> sql.piece(&(#piece));),
            Part::Order(order) => quote_spanned!(order.span()=> sql.order(&(#order));),
        })
        .collect()
}
