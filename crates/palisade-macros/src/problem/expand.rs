//! The code that a `#[problem]` enum becomes.

use proc_macro2::TokenStream;
use quote::quote;

use super::model::{Answer, Model};

pub(super) fn expand(model: &Model) -> TokenStream {
    let (item, name) = (&model.item, &model.item.ident);
    let arms = |of: &dyn Fn(&Answer) -> TokenStream| -> TokenStream {
        let arms = model.answers.iter().map(|answer| {
            let (variant, value) = (&answer.variant.ident, of(answer));
            quote!(Self::#variant { .. } => #value,)
        });
        // An enum without variants has no value to match.
        if model.answers.is_empty() {
            quote!(match *self {})
        } else {
            quote!(match self { #(#arms)* })
        }
    };
    let status = arms(&|answer| {
        let status = answer.status;
        quote!(::palisade::__private::http::StatusCode::from_u16(#status).unwrap_or(::palisade::__private::http::StatusCode::INTERNAL_SERVER_ERROR))
    });
    let kind = arms(&|Answer { kind, .. }| quote!(#kind));
    let title = arms(&|Answer { title, .. }| quote!(#title));
    let detail = arms(&|answer| match &answer.detail {
        Some(detail) => quote!(::core::option::Option::Some(#detail)),
        None => quote!(::core::option::Option::None),
    });
    let from = from(model);
    quote! {
        #item
        impl ::palisade::error::Problem for #name {
            fn status(&self) -> ::palisade::__private::http::StatusCode { #status }
            fn kind(&self) -> &'static str { #kind }
            fn title(&self) -> &'static str { #title }
            fn detail(&self) -> ::core::option::Option<&'static str> { #detail }
        }
        #from
    }
}

/// The item, still good for `?`, so that a mistake in it is the only error.
pub(super) fn stand_in(model: &Model, errors: TokenStream) -> TokenStream {
    let item = &model.item;
    let name = &item.ident;
    let (generics, types, bounds) = item.generics.split_for_impl();
    quote! {
        #errors
        #item
        impl #generics ::core::convert::From<#name #types> for ::palisade::Error #bounds {
            fn from(_: #name #types) -> Self { ::palisade::Error::internal() }
        }
    }
}

fn from(model: &Model) -> TokenStream {
    let name = &model.item.ident;
    quote! {
        impl ::core::convert::From<#name> for ::palisade::Error {
            fn from(problem: #name) -> Self { ::palisade::Error::of_problem(&problem) }
        }
    }
}
