//! A struct becomes a row, or a resource with an owner.

use proc_macro2::TokenStream;

pub(crate) fn resource(_attribute: TokenStream, item: TokenStream) -> TokenStream {
    item
}
pub(crate) fn row(_attribute: TokenStream, item: TokenStream) -> TokenStream {
    item
}
