//! Migration files, embedded.

use std::path::{Path, PathBuf};

use proc_macro2::TokenStream;
use quote::quote;
use syn::LitStr;

use crate::report::Report;

pub(crate) fn migrations(tokens: TokenStream) -> TokenStream {
    let mut report = Report::default();
    let Ok(folder) = syn::parse2::<LitStr>(tokens.clone()) else {
        report.add(
            &tokens,
            "P0515",
            "`migrations!` takes the folder's name",
            "write `migrations!(\"migrations\")`",
        );
        return stand_in(report);
    };
    let base = std::env::var_os("CARGO_MANIFEST_DIR")
        .map(PathBuf::from)
        .unwrap_or_default();
    let Ok(entries) = std::fs::read_dir(base.join(folder.value())) else {
        report.add(
            &folder,
            "P0515",
            "there is no such folder beside this crate's Cargo.toml",
            "make it, with files named like `0001_notes.sql`",
        );
        return stand_in(report);
    };
    let mut files: Vec<(i64, String, PathBuf)> = Vec::new();
    for path in entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "sql"))
    {
        match version(&path) {
            Some((version, name)) => files.push((version, name, path)),
            None => report.add(
                &folder,
                "P0515",
                &format!(
                    "`{}` has no number in front",
                    path.file_name().unwrap_or_default().to_string_lossy()
                ),
                "name migrations like `0001_notes.sql`, counting up",
            ),
        }
    }
    files.sort();
    for pair in files.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
        report.add(
            &folder,
            "P0515",
            &format!("`{}` and `{}` have the same number", pair[0].1, pair[1].1),
            "give the newer one the next free number",
        );
    }
    if !report.is_empty() {
        return stand_in(report);
    }
    let files = files.iter().map(|(version, name, path)| {
        let path = path.to_string_lossy();
        quote!(::palisade::__private::Migration { version: #version, file: #name, sql: ::core::include_str!(#path) })
    });
    quote!(::palisade::__private::Migrations::of_app(&[#(#files),*]))
}

fn stand_in(report: Report) -> TokenStream {
    let errors = report.into_tokens();
    quote! {{ #errors ::palisade::__private::Migrations::of_app(&[]) }}
}

fn version(path: &Path) -> Option<(i64, String)> {
    let name = path.file_name()?.to_str()?;
    let (number, _) = name.split_once('_')?;
    Some((number.parse().ok()?, name.to_owned()))
}
