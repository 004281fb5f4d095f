//! The endpoint as tokens: the function stays, a type of its name carries the route.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use super::model::Model;

pub(super) fn expand(model: Model) -> TokenStream {
    let Model {
        method,
        item,
        function,
        path,
        params,
        limit,
        timeout,
        body,
        idempotent,
        arguments,
        answer,
        report,
    } = model;
    let broken = !report.is_empty();
    let errors = report.into_tokens();
    let Some(function) = function else {
        return quote!(#item #errors);
    };
    let (name, visibility) = (&function.sig.ident, &function.vis);
    let text = name.to_string();
    let unit = quote! {
        #[doc(hidden)]
        #[allow(non_camel_case_types, dead_code)]
        #visibility struct #name {}
    };
    if broken {
        // The route is there, so that `routes!` finds it, and asks for nothing, so that nothing follows from the error.
        return quote! {
            #[allow(dead_code, unused_variables)]
            #function
            #unit
            #errors
            impl ::palisade::__private::Endpoint for #name {
                const ROUTE: ::palisade::__private::Route = ::palisade::__private::Route::BROKEN;
            }
        };
    }
    let (Some(path), Some(answer)) = (path, answer) else {
        return quote!(#function);
    };
    let witnesses: Vec<_> = (0..arguments.len())
        .map(|at| format_ident!("ARGUMENT_{at}"))
        .collect();
    let asked = arguments.iter().enumerate().map(|(at, argument)| {
        let (ty, witness, name) = (&argument.ty, &witnesses[at], &argument.name);
        let maker = if at == 0 { quote!(guard_of) } else { quote!(argument_of) };
        let shown = shown(ty);
        quote_spanned!(ty.span()=> const #witness: ::palisade::__private::ArgumentOf<#ty> = ::palisade::__private::#maker::<#ty>(#name, #shown);)
    });
    let safe = (method == "GET").then(|| {
        arguments.iter().enumerate().map(|(at, argument)| {
            let witness = &witnesses[at];
            quote_spanned! {argument.ty.span()=>
                const _: () = ::core::assert!(
                    !#witness.info.writes,
                    "P0104: a `GET` handler cannot write, so that safe methods are safe (RFC 9110, section 9.2.1): take `db: ReadDb`, or make this a `#[post]`"
                );
            }
        }).collect::<TokenStream>()
    });
    let limit_of_writer = (method != "GET" && limit.is_none()).then(|| {
        arguments.iter().enumerate().skip(1).map(|(at, argument)| {
            let (guard, witness) = (&witnesses[0], &witnesses[at]);
            quote_spanned! {argument.ty.span()=>
                const _: () = ::core::assert!(
                    !(#guard.info.public && #witness.info.writes),
                    "P0110: anybody may call this handler, and it can write, so it needs a rate limit of its own: add `limit = \"10/min\"` after its path, or make its first argument a guard such as `user: SignedIn`"
                );
            }
        }).collect::<TokenStream>()
    });
    let span = path.span();
    let named = format_ident!("{name}", span = name.span());
    let of_nobody = idempotent.as_ref().map(|option| {
        let guard = &witnesses[0];
        quote_spanned! {option.span()=>
            const _: () = ::core::assert!(
                !#guard.info.public,
                "P0111: an `Idempotency-Key` belongs to a caller, and anybody may call this handler: make its first argument a guard such as `client: ApiClient<S>` or `user: SignedIn`, or take `idempotent` out"
            );
        }
    });
    let takes: Vec<_> = arguments.iter().enumerate().map(|(at, argument)| {
        let (witness, local, name) = (
            &witnesses[at],
            format_ident!("argument_{at}"),
            &argument.name,
        );
        let take = if at == 0 {
            quote!(take_guard)
        } else {
            quote!(take)
        };
        quote!(let #local = ::palisade::__private::#take(&#witness, #name, &mut incoming).await?;)
    }).collect();
    let locals = (0..arguments.len()).map(|at| format_ident!("argument_{at}"));
    let reply = quote_spanned!(answer.span()=> ::palisade::__private::reply::<#answer, _>(outcome));
    let timeout = option(
        timeout.map(|milliseconds| quote!(::core::time::Duration::from_millis(#milliseconds))),
    );
    let limit = option(limit.map(|limit| quote!(#limit)));
    let body = option(body.map(|body| quote!(#body)));
    let is_idempotent = idempotent.is_some();
    let call = if is_idempotent {
        let (guard, others) = (&takes[0], &takes[1..]);
        quote! {
            #guard
            ::palisade::__private::once(incoming, move |mut incoming| async move {
                let _ = &mut incoming;
                #(#others)*
                let outcome = #name(#(#locals),*).await;
                ::core::result::Result::Ok(#reply)
            }).await
        }
    } else {
        quote! {
            #(#takes)*
            let outcome = #name(#(#locals),*).await;
            #reply
        }
    };
    let infos = quote!(&[#(#witnesses.info),*]);
    let checks = quote_spanned! {span=>
        const _: () = ::palisade::__private::check_params(&[#(#params),*], #infos);
    };
    let one_body = quote_spanned! {name.span()=>
        const _: () = ::palisade::__private::check_bodies(#infos);
    };
    quote! {
        #function
        #unit
        const _: () = {
            #(#asked)*
            #safe
            #checks
            #one_body
            #limit_of_writer
            #of_nobody
            impl ::palisade::__private::Endpoint for #named {
                const ROUTE: ::palisade::__private::Route = ::palisade::__private::Route {
                    method: #method,
                    path: #path,
                    name: #text,
                    module: ::core::module_path!(),
                    file: ::core::file!(),
                    line: ::core::line!(),
                    arguments: #infos,
                    limit: #limit,
                    timeout: #timeout,
                    body_limit: #body,
                    idempotent: #is_idempotent,
                    query_keys: &[#(#witnesses.info.query),*],
                    call: |mut incoming| ::std::boxed::Box::pin(async move {
                        #call
                    }),
                };
            }
        };
    }
}

fn option(value: Option<TokenStream>) -> TokenStream {
    match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    }
}

/// The type as its author wrote it, for tables.
fn shown(ty: &syn::Type) -> String {
    let spaced = quote!(#ty).to_string();
    spaced
        .replace(" <", "<")
        .replace("< ", "<")
        .replace(" >", ">")
        .replace(" ,", ",")
        .replace(" :: ", "::")
}
