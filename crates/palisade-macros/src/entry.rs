//! The entry point of an app.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ItemFn;

use crate::report::Report;

pub(crate) fn main(_attribute: TokenStream, item: TokenStream) -> TokenStream {
    let mut report = Report::default();
    let instead = "write `#[palisade::main] async fn main() -> Result<App, Refusal>`";
    let Ok(mut function) = syn::parse2::<ItemFn>(item.clone()) else {
        report.add(
            &item,
            "P0109",
            "`#[palisade::main]` stands on the function `main`",
            instead,
        );
        return report.into_tokens();
    };
    if function.sig.asyncness.is_none() || !function.sig.inputs.is_empty() {
        report.add(
            &function.sig.ident,
            "P0109",
            "`main` is an `async fn` without arguments",
            instead,
        );
        let errors = report.into_tokens();
        return quote!(#errors fn main() {});
    }
    function.sig.ident = syn::Ident::new("app", function.sig.ident.span());
    quote! {
        fn main() -> ::std::process::ExitCode {
            #function
            let package = ::palisade::__private::Package {
                name: ::core::option_env!("CARGO_PKG_NAME").unwrap_or_default(),
                version: ::core::option_env!("CARGO_PKG_VERSION").unwrap_or_default(),
            };
            ::palisade::__private::run(app, package)
        }
    }
}
