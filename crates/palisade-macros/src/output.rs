//! A type becomes an output: only what it lists leaves.

mod expand;
mod model;

use proc_macro2::TokenStream;

pub(crate) fn output(attribute: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand(model::model(attribute, item))
}
