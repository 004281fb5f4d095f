//! The row mapping as tokens.

use heck::ToSnakeCase as _;
use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use super::model::{Model, OnDelete, Owner, Table};
use crate::registry;

pub(super) fn expand(model: Model) -> TokenStream {
    let Model {
        item,
        name,
        fields,
        table,
        report,
    } = model;
    let broken = !report.is_empty();
    let errors = report.into_tokens();
    let Some(name) = name else {
        return quote!(#item #errors);
    };
    // After an error the fields are not asked for, so that nothing follows from it.
    let fields = if broken { Vec::new() } else { fields };
    let is_resource = table.is_some() || broken;
    let witnesses = fields.iter().enumerate().map(|(at, (_, ty))| {
        let witness = format_ident!("COLUMN_{at}");
        quote_spanned!(ty.span()=> const #witness: ::palisade::__private::ColumnOf<#ty> = ::palisade::__private::column_of::<#ty>();)
    });
    let columns = fields.iter().enumerate().map(|(at, (field, _))| {
        let (witness, text) = (format_ident!("COLUMN_{at}"), field.to_string());
        quote!(#witness.named(#text))
    });
    let reads = fields.iter().enumerate().map(|(at, (field, _))| {
        let (witness, text) = (format_ident!("COLUMN_{at}"), field.to_string());
        quote!(#field: row.column_with(#text, #witness.read)?)
    });
    let body = if broken {
        quote!({
            let _ = row;
            ::core::panic!()
        })
    } else {
        quote!(::core::result::Result::Ok(Self { #(#reads),* }))
    };
    let resource = is_resource.then(|| resource(&name, table.as_ref(), broken));
    quote! {
        #item
        #errors
        const _: () = {
            #(#witnesses)*
            impl ::palisade::__private::Row for #name {
                const COLUMNS: &'static [::palisade::__private::ColumnInfo] = &[#(#columns),*];
                fn from_row(row: &::palisade::__private::RawRow) -> ::core::result::Result<Self, ::palisade::__private::DbError> {
                    #body
                }
            }
            #resource
        };
    }
}

fn resource(name: &syn::Ident, table: Option<&Table>, broken: bool) -> TokenStream {
    let table_name = table.map(|table| table.name.clone()).unwrap_or_default();
    let owned = table.and_then(|table| table.owner.as_ref());
    let owned = owned.filter(|_| !broken);
    let owner = option(owned.map(|Owner { column, .. }| quote!(#column)));
    let erasure = owned.map_or_else(|| option(None), |owner| erasure(&table_name, owner));
    let export = owned.and_then(|owner| owner.export.as_ref().map(|view| (owner, view)));
    let export = option(export.map(|(owner, view)| export_of(name, &table_name, owner, view)));
    let checks = owned.map(checks);
    let select = format!("select * from {table_name} where id = $1");
    let (text, parameter) = (name.to_string(), name.to_string().to_snake_case());
    let key = if broken {
        quote!(::core::panic!())
    } else {
        quote!(self.id.uuid())
    };
    let registered = (!broken && registry::is_open()).then(|| {
        quote! {
            #[::palisade::__private::linkme::distributed_slice(::palisade::__private::RESOURCES)]
            #[linkme(crate = ::palisade::__private::linkme)]
            static RESOURCE: ::palisade::__private::ResourceInfo = ::palisade::__private::ResourceInfo {
                name: #text,
                table: #table_name,
                owner: #owner,
                columns: <#name as ::palisade::__private::Row>::COLUMNS,
                erasure: #erasure,
                export: #export,
                file: ::core::file!(),
                line: ::core::line!(),
            };
        }
    });
    quote! {
        impl ::palisade::__private::Untyped for #name {}
        impl ::palisade::__private::Resource for #name {
            const NAME: &'static str = #parameter;
            const TABLE: &'static str = #table_name;
            const OWNER: ::core::option::Option<&'static str> = #owner;
            const SELECT: &'static str = #select;
            fn key(&self) -> ::palisade::__private::Uuid {
                #key
            }
        }
        #registered
        #checks
    }
}

fn erasure(table: &str, owner: &Owner) -> TokenStream {
    let column = &owner.column;
    let detaches = matches!(owner.on_delete, Some(OnDelete::Detach(_)));
    let text = if detaches {
        format!("update {table} set {column} = null where {column} = $1")
    } else {
        format!("delete from {table} where {column} = $1")
    };
    quote! {
        if OWNED_BY_ACCOUNT {
            ::core::option::Option::Some(::palisade::__private::Erasure { text: #text, detaches: #detaches })
        } else {
            ::core::option::Option::None
        }
    }
}

fn export_of(name: &syn::Ident, table: &str, owner: &Owner, view: &syn::Type) -> TokenStream {
    let text = format!(
        "select * from {table} where {} = $1 order by id",
        owner.column
    );
    let rows = quote_spanned!(view.span()=> ::palisade::__private::export_rows::<#name, #view>);
    quote!(::palisade::__private::Export { text: #text, rows: #rows })
}

/// What becomes of an account's rows that may be without an owner is said, and of others' nothing is.
fn checks(owner: &Owner) -> TokenStream {
    let ty = &owner.ty;
    let nullable = format_ident!("COLUMN_{}", owner.at);
    let nullable = quote!(#nullable.nullable);
    let asked = (owner.on_delete.is_some() || owner.export.is_some()).then(
        || quote_spanned!(ty.span()=> const _: () = ::palisade::__private::owner_of::<#ty>();),
    );
    let check = match &owner.on_delete {
        Some(OnDelete::Remove) => TokenStream::new(),
        Some(OnDelete::Detach(place)) => {
            quote_spanned!(place.span()=> const _: () = ::palisade::__private::detachable(#nullable);)
        }
        None => {
            quote_spanned!(ty.span()=> const _: () = ::palisade::__private::said(OWNED_BY_ACCOUNT && #nullable);)
        }
    };
    quote! {
        #[allow(dead_code)]
        const OWNED_BY_ACCOUNT: bool = {
            #[allow(unused_imports)]
            use ::palisade::__private::OwnedByOthers as _;
            <::palisade::__private::OwnerProbe<#ty>>::IS_ACCOUNT
        };
        #asked
        #check
    }
}

fn option(value: Option<TokenStream>) -> TokenStream {
    match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    }
}
