//! `#[problem]`: an enum of an app's own answers, in literal texts.

mod expand;
mod model;

use proc_macro2::TokenStream;

use crate::report::Report;

pub(crate) fn problem(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let mut report = Report::default();
    match model::model(attribute, item, &mut report) {
        Some(model) if report.is_empty() => expand::expand(&model),
        Some(model) => expand::stand_in(&model, report.into_tokens()),
        None => report.into_tokens(),
    }
}
