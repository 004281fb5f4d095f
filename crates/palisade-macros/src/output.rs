//! A type becomes an output: only what it lists leaves.

use proc_macro2::TokenStream;

pub(crate) fn output(_attribute: TokenStream, item: TokenStream) -> TokenStream {
    item
}
