//! A struct becomes a row, or a resource with an owner.

mod expand;
mod model;

use proc_macro2::TokenStream;

pub(crate) fn resource(attribute: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand(model::resource(attribute, item))
}

pub(crate) fn row(attribute: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand(model::row(attribute, item))
}
