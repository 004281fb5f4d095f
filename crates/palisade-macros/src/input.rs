//! A type becomes an input: read, bounded, validated.

mod expand;
mod model;

use proc_macro2::TokenStream;

pub(crate) fn input(attribute: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand(model::model(attribute, item))
}
