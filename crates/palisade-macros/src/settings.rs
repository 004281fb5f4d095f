//! `#[settings]`: a struct that configuration is read into.

mod expand;
mod model;

use proc_macro2::TokenStream;

use crate::report::Report;

pub(crate) fn settings(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let mut report = Report::default();
    let Some(model) = model::model(attribute, item.clone(), &mut report) else {
        let errors = report.into_tokens();
        return errors;
    };
    if report.is_empty() {
        expand::expand(&model)
    } else {
        expand::stand_in(&model, report.into_tokens())
    }
}
