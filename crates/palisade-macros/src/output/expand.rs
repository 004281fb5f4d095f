//! The writing of an output as tokens.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Ident, Type};

use super::model::{Model, Shape};
use crate::shape::Field;

pub(super) fn expand(model: Model) -> TokenStream {
    let Model {
        item,
        name,
        shape,
        options,
        report,
    } = model;
    let broken = !report.is_empty();
    let errors = report.into_tokens();
    let Some(name) = name else {
        return quote!(#item #errors);
    };
    let from = match (&shape, &options.from, broken) {
        (Shape::Struct(fields), Some(row), false) => Some(from_row(&name, row, fields)),
        _ => None,
    };
    let text = name.to_string();
    let body = if broken {
        quote!(serializer.serialize_unit_struct(#text))
    } else {
        match &shape {
            Shape::Struct(fields) => write_struct(&text, fields),
            Shape::Enum(variants) => {
                let tag = options.tag.as_ref().map(|tag| tag.value());
                let arms = variants.iter().map(|(ident, name, fields)| {
                    write_variant(&text, tag.as_deref(), ident, name, fields)
                });
                quote!(match self { #(#arms)* })
            }
        }
    };
    // A choice among names is stored as its name, all else as JSON.
    let (kind, bound) = match &shape {
        Shape::Enum(variants) if !broken && options.tag.is_none() => {
            let arms = variants
                .iter()
                .map(|(ident, name, _)| quote!(Self::#ident => #name));
            let name = quote!(match self { #(#arms),* });
            (
                quote!(Text),
                quote!(::palisade::__private::Bind::value(#name)),
            )
        }
        _ => (
            quote!(Json),
            quote!(::palisade::__private::write_json(self)),
        ),
    };
    quote! {
        #item
        #errors
        const _: () = {
            impl ::palisade::__private::Output for #name {}
            impl ::palisade::__private::serde::Serialize for #name {
                fn serialize<S: ::palisade::__private::serde::Serializer>(
                    &self,
                    serializer: S,
                ) -> ::core::result::Result<S::Ok, S::Error> {
                    #body
                }
            }
            impl ::palisade::__private::Bind for #name {
                const NULL: ::palisade::__private::Value = ::palisade::__private::Value::#kind(::core::option::Option::None);
                fn value(&self) -> ::palisade::__private::Value {
                    #bound
                }
            }
            #from
        };
    }
}

fn write(fields: &[Field], value: impl Fn(&Ident) -> TokenStream) -> TokenStream {
    fields
        .iter()
        .map(|field| {
            let (value, wire) = (value(&field.ident), &field.wire);
            quote_spanned!(field.ty.span()=> ::palisade::__private::output_field(&mut output, #wire, #value)?;)
        })
        .collect()
}

fn write_struct(name: &str, fields: &[Field]) -> TokenStream {
    let (count, writes) = (fields.len(), write(fields, |ident| quote!(&self.#ident)));
    quote! {
        #[allow(unused_mut)]
        let mut output = ::palisade::__private::output_begin(serializer, #name, #count)?;
        #writes
        ::palisade::__private::serde::ser::SerializeStruct::end(output)
    }
}

fn write_variant(
    ty: &str,
    tag: Option<&str>,
    ident: &Ident,
    name: &str,
    fields: &[Field],
) -> TokenStream {
    let Some(tag) = tag else {
        return quote!(Self::#ident => serializer.serialize_str(#name),);
    };
    let idents: Vec<_> = fields.iter().map(|field| &field.ident).collect();
    let locals: Vec<_> = idents
        .iter()
        .map(|ident| format_ident!("own_{ident}"))
        .collect();
    let count = fields.len() + 1;
    let writes = write(fields, |ident| {
        let local = format_ident!("own_{ident}");
        quote!(#local)
    });
    quote! {
        Self::#ident { #(#idents: #locals),* } => {
            let mut output = ::palisade::__private::output_begin(serializer, #ty, #count)?;
            ::palisade::__private::output_field(&mut output, #tag, #name)?;
            #writes
            ::palisade::__private::serde::ser::SerializeStruct::end(output)
        }
    }
}

fn from_row(name: &Ident, row: &Type, fields: &[Field]) -> TokenStream {
    let made = fields.iter().map(|field| {
        let ident = &field.ident;
        let source = match &field.options.from {
            Some(source) => quote!(row.#source),
            None => quote!(row.#ident),
        };
        match &field.options.with {
            Some(with) => quote_spanned!(with.span()=> #ident: (#with)(#source)),
            None => quote_spanned!(ident.span()=> #ident: #source),
        }
    });
    quote! {
        impl ::core::convert::From<#row> for #name {
            fn from(row: #row) -> Self {
                Self { #(#made),* }
            }
        }
        impl ::palisade::__private::ViewOf<#row> for #name {}
    }
}
