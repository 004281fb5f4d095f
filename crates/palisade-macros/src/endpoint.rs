//! A function becomes an endpoint.

use proc_macro2::TokenStream;

pub(crate) fn get(_attribute: TokenStream, item: TokenStream) -> TokenStream {
    item
}
pub(crate) fn post(_attribute: TokenStream, item: TokenStream) -> TokenStream {
    item
}
pub(crate) fn put(_attribute: TokenStream, item: TokenStream) -> TokenStream {
    item
}
pub(crate) fn patch(_attribute: TokenStream, item: TokenStream) -> TokenStream {
    item
}
pub(crate) fn delete(_attribute: TokenStream, item: TokenStream) -> TokenStream {
    item
}

pub(crate) fn routes(tokens: TokenStream) -> TokenStream {
    tokens
}
