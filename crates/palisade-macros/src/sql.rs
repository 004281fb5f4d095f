//! One literal becomes a statement with bound values.

mod expand;
mod model;
mod parse;
mod text;

use proc_macro2::TokenStream;

use crate::report::Report;

pub(crate) fn sql(tokens: TokenStream) -> TokenStream {
    let mut report = Report::default();
    let Some(call) = parse::parse(tokens, &mut report) else {
        return expand::stand_in(report);
    };
    match model::model(&call, &mut report) {
        Some(statement) if report.is_empty() => expand::expand(&call, &statement),
        _ => expand::stand_in(report),
    }
}
