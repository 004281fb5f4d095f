//! The row mapping as tokens.

use heck::ToSnakeCase as _;
use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use super::model::{Model, Table};

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
    let owner = match table.and_then(|table| table.owner.as_ref()) {
        Some(owner) => quote!(::core::option::Option::Some(#owner)),
        None => quote!(::core::option::Option::None),
    };
    let select = format!("select * from {table_name} where id = $1");
    let (text, parameter) = (name.to_string(), name.to_string().to_snake_case());
    let key = if broken {
        quote!(::core::panic!())
    } else {
        quote!(self.id.uuid())
    };
    // As in `sql!`: the framework's own are read by its tests.
    let own = std::env::var("CARGO_CRATE_NAME").is_ok_and(|name| name == "palisade");
    let registered = (!broken && !own).then(|| {
        quote! {
            #[::palisade::__private::linkme::distributed_slice(::palisade::__private::RESOURCES)]
            #[linkme(crate = ::palisade::__private::linkme)]
            static RESOURCE: ::palisade::__private::ResourceInfo = ::palisade::__private::ResourceInfo {
                name: #text,
                table: #table_name,
                owner: #owner,
                columns: <#name as ::palisade::__private::Row>::COLUMNS,
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
    }
}
