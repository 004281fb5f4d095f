//! One literal becomes a statement with bound values.

use proc_macro2::TokenStream;

pub(crate) fn sql(tokens: TokenStream) -> TokenStream {
    tokens
}
