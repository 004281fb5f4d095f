//! The reading of an input as tokens.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::Ident;
use syn::spanned::Spanned;

use super::model::{InputField, Model, Shape};

pub(super) fn expand(model: Model) -> TokenStream {
    let Model {
        item,
        name,
        shape,
        options,
        ruled,
        report,
    } = model;
    let broken = !report.is_empty();
    let errors = report.into_tokens();
    let Some(name) = name else {
        return quote!(#item #errors);
    };
    // A choice among names is stored as its name, all else as JSON.
    let (kind, stored) = match &shape {
        Shape::Names(_) => (quote!(Text), quote!(read_name)),
        _ => (quote!(Json), quote!(read_json)),
    };
    let mut members = Vec::new();
    let read = if broken {
        quote! { let _ = (node, reader); ::core::option::Option::None }
    } else {
        match shape {
            Shape::Struct(fields) => {
                members = fields
                    .iter()
                    .map(|field| field.field.wire.clone())
                    .collect();
                read_struct(&fields, &members, options.strip_unknown, ruled)
            }
            Shape::Names(variants) => read_names(&variants),
            Shape::Tagged(variants) => {
                let tag = options.tag.map(|tag| tag.value()).unwrap_or_default();
                read_tagged(&tag, &variants, options.strip_unknown)
            }
        }
    };
    quote! {
        #item
        #errors
        const _: () = {
            impl ::palisade::__private::Field for #name {
                fn read(
                    node: ::palisade::__private::Node,
                    reader: &mut ::palisade::__private::Reader,
                ) -> ::core::option::Option<Self> {
                    #read
                }
            }
            impl ::palisade::__private::Input for #name {
                const MEMBERS: &'static [&'static str] = &[#(#members),*];
            }
            impl ::palisade::__private::Column for #name {
                const KIND: ::core::option::Option<::palisade::__private::Kind> =
                    ::core::option::Option::Some(::palisade::__private::Kind::#kind);
                fn read(
                    cell: ::palisade::__private::Cell,
                ) -> ::core::result::Result<Self, ::palisade::__private::ColumnError> {
                    ::palisade::__private::#stored(cell)
                }
            }
        };
    }
}

/// Takes every field before it gives up, so that all errors are told.
fn takes(fields: &[InputField]) -> TokenStream {
    fields
        .iter()
        .enumerate()
        .map(|(at, InputField { field, raw })| {
            let (ty, wire) = (&field.ty, &field.wire);
            let (local, witness) = (format_ident!("member_{at}"), format_ident!("MEMBER_{at}"));
            let maker = if *raw { quote!(raw_field_of) } else { quote!(field_of) };
            let known = quote_spanned!(ty.span()=> const #witness: ::palisade::__private::FieldOf<#ty> = ::palisade::__private::#maker::<#ty>(););
            match &field.options.default {
                None => quote! { #known let #local = #witness.take(#wire, &mut members, reader); },
                Some(default) => {
                    let default = quote_spanned!(default.span()=> ::core::option::Option::Some(#default));
                    quote! {
                        #known
                        let #local = if members.iter().any(|(name, _)| name == #wire) {
                            #witness.take(#wire, &mut members, reader)
                        } else {
                            #default
                        };
                    }
                }
            }
        })
        .collect()
}

fn made(path: &TokenStream, fields: &[InputField]) -> TokenStream {
    let pairs = fields
        .iter()
        .enumerate()
        .map(|(at, InputField { field, .. })| {
            let (ident, local) = (&field.ident, format_ident!("member_{at}"));
            quote!(#ident: #local?)
        });
    quote!(#path { #(#pairs),* })
}

fn known(members: &[String], strip_unknown: bool) -> TokenStream {
    if strip_unknown {
        quote!(::core::option::Option::None)
    } else {
        quote!(::core::option::Option::Some(&[#(#members),*]))
    }
}

fn read_struct(
    fields: &[InputField],
    members: &[String],
    strip_unknown: bool,
    ruled: bool,
) -> TokenStream {
    let (known, takes, made) = (
        known(members, strip_unknown),
        takes(fields),
        made(&quote!(Self), fields),
    );
    let wire = fields.iter().map(|InputField { field, .. }| {
        let (ident, wire) = (field.ident.to_string(), &field.wire);
        quote!((#ident, #wire))
    });
    let check =
        ruled.then(|| quote!(::palisade::__private::check_rules(&value, &[#(#wire),*], reader)?;));
    quote! {
        #[allow(unused_mut)]
        let mut members = reader.members(node, #known)?;
        #takes
        let value = #made;
        #check
        ::core::option::Option::Some(value)
    }
}

fn read_names(variants: &[(Ident, String)]) -> TokenStream {
    let names: Vec<_> = variants.iter().map(|(_, name)| name.as_str()).collect();
    let choices = format!("must be one of {}", names.join(", "));
    let arms = variants
        .iter()
        .map(|(ident, name)| quote!(#name => ::core::option::Option::Some(Self::#ident)));
    quote! {
        match node {
            ::palisade::__private::Node::Text(text) | ::palisade::__private::Node::Word(text) => match text.as_str() {
                #(#arms,)*
                _ => reader.refuse("choice", #choices),
            },
            _ => reader.refuse("type", "must be text"),
        }
    }
}

fn read_tagged(
    tag: &str,
    variants: &[(Ident, String, Vec<InputField>)],
    strip_unknown: bool,
) -> TokenStream {
    let names: Vec<_> = variants.iter().map(|(_, name, _)| name.as_str()).collect();
    let choices = format!("must be one of {}", names.join(", "));
    let arms = variants.iter().map(|(ident, name, fields)| {
        let members: Vec<_> = fields.iter().map(|field| field.field.wire.clone()).collect();
        let known = known(&members, strip_unknown);
        let (takes, made) = (takes(fields), made(&quote!(Self::#ident), fields));
        quote! {
            ::core::option::Option::Some(#name) => {
                #[allow(unused_mut, unused_variables)]
                let mut members = reader.members(::palisade::__private::Node::Object(members), #known)?;
                #takes
                ::core::option::Option::Some(#made)
            }
        }
    });
    quote! {
        let mut members = reader.members(node, ::core::option::Option::None)?;
        let kind = members.iter().position(|(name, _)| name == #tag).map(|at| members.swap_remove(at).1);
        let kind = match kind {
            ::core::option::Option::Some(::palisade::__private::Node::Text(kind)) => ::core::option::Option::Some(kind),
            _ => ::core::option::Option::None,
        };
        match kind.as_deref() {
            #(#arms)*
            _ => reader.within(#tag, |reader| reader.refuse("choice", #choices)),
        }
    }
}
