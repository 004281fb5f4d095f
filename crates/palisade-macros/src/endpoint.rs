//! A function becomes an endpoint.

mod expand;
mod model;

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::parse::Parser as _;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::{Path, Token};

macro_rules! methods {
    ($($name:ident => $method:literal),+) => {
        $(pub(crate) fn $name(attribute: TokenStream, item: TokenStream) -> TokenStream {
            expand::expand(model::model($method, attribute, item))
        })+
    };
}

methods!(get => "GET", post => "POST", put => "PUT", patch => "PATCH", delete => "DELETE");

pub(crate) fn routes(tokens: TokenStream) -> TokenStream {
    match Punctuated::<Path, Token![,]>::parse_terminated.parse2(tokens) {
        Ok(paths) => {
            let routes = paths.iter().map(
                |path| quote_spanned!(path.span()=> ::palisade::__private::route_of::<#path>()),
            );
            quote!(::palisade::__private::Routes::from(
                ::std::vec![#(#routes),*]
            ))
        }
        Err(error) => {
            let error = syn::Error::new(
                error.span(),
                "P0106: `routes!` lists handlers by name: `routes![create, notes::show]`",
            )
            .into_compile_error();
            quote!({ #error ::palisade::__private::Routes::from(::std::vec![]) })
        }
    }
}
