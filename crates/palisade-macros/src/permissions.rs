//! `permissions!`: what accounts may do everywhere, each a type with a name.

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;
use syn::parse::{ParseStream, Parser as _};
use syn::{Attribute, Expr, ExprLit, Ident, Lit, LitStr, Token, Visibility};

use crate::registry;
use crate::report::Report;

const EXAMPLE: &str = "write `pub ManageAccounts = \"accounts.manage\";`";
const LONGEST: usize = 64;

struct Permission {
    attributes: Vec<Attribute>,
    visibility: Visibility,
    ty: Ident,
    name: LitStr,
}

pub(crate) fn permissions(tokens: TokenStream) -> TokenStream {
    let mut report = Report::default();
    let parse = |input: ParseStream<'_>| Ok(all(input, &mut report));
    let mut permissions = match parse.parse2(tokens) {
        Ok(permissions) => permissions,
        Err(error) => {
            report.push(error);
            Vec::new()
        }
    };
    alike(&mut permissions, &mut report);
    // After an error nothing is registered, so that nothing follows from it.
    let registered = report.is_empty() && registry::is_open();
    let errors = report.into_tokens();
    let permissions = permissions
        .iter()
        .map(|permission| expand(permission, registered));
    quote!(#(#permissions)* #errors)
}

fn all(input: ParseStream<'_>, report: &mut Report) -> Vec<Permission> {
    let mut permissions = Vec::new();
    while !input.is_empty() {
        if let Some(permission) = one(input, report) {
            permissions.push(permission);
        }
        // What is left of a line that could not be read.
        while !input.is_empty() && !input.peek(Token![;]) {
            let _ = input.parse::<TokenTree>();
        }
        let _ = input.parse::<Token![;]>();
    }
    permissions
}

/// One line up to its semicolon; one that is not complete is told and left out.
fn one(input: ParseStream<'_>, report: &mut Report) -> Option<Permission> {
    let head = || -> syn::Result<_> {
        Ok((
            input.call(Attribute::parse_outer)?,
            input.parse::<Visibility>()?,
            input.parse::<Ident>()?,
        ))
    };
    let (attributes, visibility, ty) = match head() {
        Ok(head) => head,
        Err(error) => {
            let place = syn::Error::new(
                error.span(),
                format!("P0211: a permission begins with its type\n  = help: {EXAMPLE}"),
            );
            report.push(place);
            return None;
        }
    };
    let value = input
        .parse::<Token![=]>()
        .and_then(|_| input.parse::<Expr>());
    let unnamed = LitStr::new("", ty.span());
    let name = match value {
        Ok(Expr::Lit(ExprLit {
            lit: Lit::Str(name),
            ..
        })) => {
            let next = input.fork().parse::<TokenTree>();
            if !is_name(&name.value()) {
                let instead =
                    "use 1 to 64 of `a-z`, `0-9`, `-`, `_` and `.`, such as `accounts.manage`";
                let wrong = "this is not a name for a permission";
                report.add(&name, "P0211", wrong, instead);
            } else if let Ok(next) = next
                && !input.peek(Token![;])
            {
                let wrong = "a permission ends with a semicolon";
                report.add(&next, "P0211", wrong, EXAMPLE);
            }
            name
        }
        Ok(other) => {
            let wrong = "the name of a permission is a literal";
            report.add(&other, "P0211", wrong, EXAMPLE);
            unnamed
        }
        Err(_) => {
            report.add(&ty, "P0211", "this permission has no name", EXAMPLE);
            unnamed
        }
    };
    Some(Permission {
        attributes,
        visibility,
        ty,
        name,
    })
}

fn is_name(text: &str) -> bool {
    let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.');
    (1..=LONGEST).contains(&text.len()) && text.bytes().all(plain)
}

/// Tells of each that is called like one before it; of two types of one name the second is left out.
fn alike(permissions: &mut Vec<Permission>, report: &mut Report) {
    let mut seen: Vec<(Ident, String)> = Vec::new();
    permissions.retain(|permission| {
        let (ty, name) = (&permission.ty, permission.name.value());
        let same_type = seen.iter().any(|(other, _)| other == ty);
        let same_name = seen
            .iter()
            .any(|(_, other)| *other == name && !name.is_empty());
        if same_type {
            report.add(
                ty,
                "P0212",
                "two permissions are of one type",
                "give this one another type, or take it out",
            );
        } else if same_name {
            report.add(
                &permission.name,
                "P0212",
                "two permissions have one name: who has one would have the other",
                "give this one another name",
            );
        }
        seen.push((ty.clone(), name));
        !same_type
    });
}

fn expand(permission: &Permission, registered: bool) -> TokenStream {
    let Permission {
        attributes,
        visibility,
        ty,
        name,
    } = permission;
    let registered = registered.then(|| {
        quote! {
            const _: () = {
                #[::palisade::__private::linkme::distributed_slice(::palisade::__private::PERMISSIONS)]
                #[linkme(crate = ::palisade::__private::linkme)]
                static PERMISSION: ::palisade::__private::PermissionType = ::palisade::__private::permission_type::<#ty>();
            };
        }
    });
    quote! {
        #(#attributes)*
        #[derive(::core::fmt::Debug, ::core::clone::Clone, ::core::marker::Copy)]
        #visibility struct #ty;
        impl ::palisade::__private::Permission for #ty {
            const NAME: &'static str = #name;
        }
        #registered
    }
}
