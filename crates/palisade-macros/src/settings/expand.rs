//! The code that a `#[settings]` struct becomes.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;

use super::model::{Model, Setting};

pub(super) fn expand(model: &Model) -> TokenStream {
    let (item, name) = (&model.item, &model.item.ident);
    let settings = &model.settings;
    let fields: Vec<_> = settings.iter().map(|setting| &setting.ident).collect();
    let witnesses: Vec<_> = (0..settings.len())
        .map(|index| format_ident!("FIELD_{index}"))
        .collect();
    let asked = settings
        .iter()
        .zip(&witnesses)
        .map(|(setting, witness)| ask(setting, witness));
    let members = settings
        .iter()
        .zip(&witnesses)
        .map(|(setting, witness)| member(setting, witness));
    let indexes = 0..settings.len();
    let values: Vec<_> = (0..settings.len())
        .map(|index| format_ident!("value_{index}"))
        .collect();
    let text = name.to_string();
    let derived = derives(item);
    let clone = (!derived.contains(&"Clone".into())).then(|| {
        quote! {
            impl ::core::clone::Clone for #name {
                fn clone(&self) -> Self {
                    Self { #(#fields: (#witnesses.clone)(&self.#fields),)* }
                }
            }
        }
    });
    let labels = fields.iter().map(|field| field.unraw().to_string());
    let debug = (!derived.contains(&"Debug".into())).then(|| quote! {
        impl ::core::fmt::Debug for #name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.debug_struct(#text)#(.field(#labels, (#witnesses.debug)(&self.#fields)))*.finish()
            }
        }
    });
    quote! {
        #item
        const _: () = {
            use ::palisade::__private::config as __config;
            #(#asked)*
            #clone
            #debug
            impl __config::Settings for #name {
                const MEMBERS: &'static [__config::Member] = &[#(#members),*];
                fn gather(section: &mut __config::Section<'_>) -> ::core::option::Option<Self> {
                    #(let #values = (#witnesses.take)(section, &Self::MEMBERS[#indexes]);)*
                    ::core::option::Option::Some(Self { #(#fields: #values?,)* })
                }
            }
            impl __config::Setting for #name {
                const SHAPE: __config::Shape = __config::Shape::Table(<Self as __config::Settings>::MEMBERS);
                fn read(_: __config::Raw<'_>) -> ::core::result::Result<Self, __config::Wrong> {
                    ::core::result::Result::Err(__config::Wrong::new("is a table", "write its settings one by one"))
                }
                fn take(section: &mut __config::Section<'_>, member: &__config::Member) -> ::core::option::Option<Self> {
                    <Self as __config::Settings>::gather(&mut section.enter(member.name))
                }
            }
        };
    }
}

/// The item and its traits without any behavior, so that a mistake in it is the only error.
pub(super) fn stand_in(model: &Model, errors: TokenStream) -> TokenStream {
    let (item, name) = (&model.item, &model.item.ident);
    let (generics, types, bounds) = item.generics.split_for_impl();
    let derived = derives(item);
    let clone = (!derived.contains(&"Clone".into())).then(|| {
        quote! {
            impl #generics ::core::clone::Clone for #name #types #bounds {
                fn clone(&self) -> Self { ::core::unreachable!() }
            }
        }
    });
    let debug = (!derived.contains(&"Debug".into())).then(|| quote! {
        impl #generics ::core::fmt::Debug for #name #types #bounds {
            fn fmt(&self, _: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result { ::core::unreachable!() }
        }
    });
    // A generic type would have to be `Send + Sync + 'static` to be a setting: leave it without.
    let traits = item.generics.params.is_empty().then(|| quote! {
        impl ::palisade::__private::config::Settings for #name {
            const MEMBERS: &'static [::palisade::__private::config::Member] = &[];
            fn gather(_: &mut ::palisade::__private::config::Section<'_>) -> ::core::option::Option<Self> { ::core::option::Option::None }
        }
        impl ::palisade::__private::config::Setting for #name {
            fn read(_: ::palisade::__private::config::Raw<'_>) -> ::core::result::Result<Self, ::palisade::__private::config::Wrong> { ::core::unreachable!() }
        }
    });
    quote! { #errors #item #clone #debug #traits }
}

/// The one place where the field's type is asked to be a setting.
fn ask(setting: &Setting, witness: &syn::Ident) -> TokenStream {
    let ty = &setting.ty;
    let question = match &setting.limit {
        None => quote!(plain),
        Some(limit) if limit.length => quote!(measured),
        Some(_) => quote!(ranged),
    };
    quote_spanned! {ty.span()=>
        const #witness: __config::Witness<#ty> = __config::#question::<#ty>();
    }
}

fn member(setting: &Setting, witness: &syn::Ident) -> TokenStream {
    let name = setting.ident.unraw().to_string();
    let default = setting.default.iter().map(|text| quote!(.default(#text)));
    let lowest = setting
        .limit
        .iter()
        .filter_map(|limit| limit.lowest.as_ref())
        .map(|text| quote!(.lowest(#text)));
    let highest = setting
        .limit
        .iter()
        .filter_map(|limit| limit.highest.as_ref())
        .map(|text| quote!(.highest(#text)));
    quote! { __config::Member::new(#name, #witness.shape) #(#default)* #(#lowest)* #(#highest)* }
}

/// The derives that the user wrote below `#[settings]`.
fn derives(item: &syn::DeriveInput) -> Vec<String> {
    let mut derived = Vec::new();
    for attribute in item
        .attrs
        .iter()
        .filter(|attribute| attribute.path().is_ident("derive"))
    {
        // A derive that does not parse is the compiler's to report.
        let _ = attribute.parse_nested_meta(|meta| {
            derived.extend(
                meta.path
                    .segments
                    .last()
                    .map(|segment| segment.ident.to_string()),
            );
            Ok(())
        });
    }
    derived
}
