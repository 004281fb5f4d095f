//! Errors of a macro: collected, coded, each at the token to change.

use proc_macro2::TokenStream;
use quote::ToTokens;

/// The errors found in one item, in the order in which they were found.
#[derive(Default)]
pub(crate) struct Report(Vec<syn::Error>);

impl Report {
    /// Adds an error at `place`: its stable code, what is wrong, and what to write instead.
    pub(crate) fn add(&mut self, place: &dyn ToTokens, code: &str, wrong: &str, instead: &str) {
        let text = format!(
            "{code}: {wrong}\n  = help: {instead}\n  = note: `palisade explain {code}` tells why"
        );
        self.0.push(syn::Error::new_spanned(place, text));
    }

    /// Adds an error of the parser.
    pub(crate) fn push(&mut self, error: syn::Error) {
        self.0.push(error);
    }

    /// Whether nothing was found.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The errors as tokens that make the compiler show them.
    pub(crate) fn into_tokens(self) -> TokenStream {
        self.0
            .into_iter()
            .map(|error| error.into_compile_error())
            .collect()
    }
}
