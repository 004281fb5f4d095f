//! Migration files, embedded.

use proc_macro2::TokenStream;

pub(crate) fn migrations(tokens: TokenStream) -> TokenStream {
    tokens
}
