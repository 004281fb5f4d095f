//! A struct becomes the settings of an app.

use proc_macro2::TokenStream;

pub(crate) fn settings(_attribute: TokenStream, item: TokenStream) -> TokenStream {
    item
}
