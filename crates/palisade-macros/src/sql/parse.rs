//! `sql!([Row,] "literal" [, on = "table"] [, unscoped = "reason"])`.

use proc_macro2::TokenStream;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Expr, Ident, LitStr, Token, Type};

use crate::report::Report;

pub(super) struct Call {
    pub(super) row: Option<Type>,
    pub(super) literal: LitStr,
    pub(super) on: Option<LitStr>,
    pub(super) unscoped: Option<LitStr>,
}

struct Named {
    name: Ident,
    value: LitStr,
}

impl Parse for Named {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name = input.parse()?;
        input.parse::<Token![=]>()?;
        Ok(Self {
            name,
            value: input.parse()?,
        })
    }
}

pub(super) fn parse(tokens: TokenStream, report: &mut Report) -> Option<Call> {
    let whole = tokens.clone();
    let parser = |input: ParseStream<'_>| -> syn::Result<Option<Call>> {
        let mut row = None;
        if !input.peek(LitStr) {
            let ahead = input.fork();
            if ahead.parse::<Type>().is_ok()
                && ahead.parse::<Token![,]>().is_ok()
                && ahead.peek(LitStr)
            {
                row = Some(input.parse()?);
                input.parse::<Token![,]>()?;
            } else {
                input.parse::<TokenStream>()?;
                return Ok(None);
            }
        }
        let mut call = Call {
            row,
            literal: input.parse()?,
            on: None,
            unscoped: None,
        };
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            if input.is_empty() {
                break;
            }
            let named: Named = input.parse()?;
            match named.name.to_string().as_str() {
                "on" => call.on = Some(named.value),
                "unscoped" => call.unscoped = Some(named.value),
                _ => {
                    return Err(syn::Error::new(
                        named.name.span(),
                        "P0504: `sql!` takes `on = \"table\"` and `unscoped = \"reason\"` after the literal",
                    ));
                }
            }
        }
        Ok(Some(call))
    };
    match parser.parse2(tokens) {
        Ok(Some(call)) => Some(call),
        Ok(None) => {
            let wrong = match syn::parse2::<Expr>(whole.clone()) {
                Ok(Expr::Macro(_)) => "a statement's text cannot be made at run time",
                _ => "a statement is one string literal",
            };
            report.add(&whole, "P0501", wrong, "write the text as a literal, and values in braces: sql!(\"select * from notes where id = {id}\")");
            None
        }
        Err(error) => {
            report.push(error);
            None
        }
    }
}
