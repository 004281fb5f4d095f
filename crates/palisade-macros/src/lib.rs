//! The macros of palisade. Their documentation stands on the re-exports in `palisade`.

mod columns;
mod endpoint;
mod entry;
mod input;
mod migrations;
mod output;
mod permissions;
mod problem;
mod registry;
mod report;
mod resource;
mod settings;
mod shape;
mod sql;

use proc_macro::TokenStream;

macro_rules! attributes {
    ($($(#[$meta:meta])* $name:ident => $path:path),* $(,)?) => {
        $($(#[$meta])* #[proc_macro_attribute]
        pub fn $name(attribute: TokenStream, item: TokenStream) -> TokenStream {
            $path(attribute.into(), item.into()).into()
        })*
    };
}

attributes! {
    /// See `palisade::get`.
    get => endpoint::get,
    /// See `palisade::post`.
    post => endpoint::post,
    /// See `palisade::put`.
    put => endpoint::put,
    /// See `palisade::patch`.
    patch => endpoint::patch,
    /// See `palisade::delete`.
    delete => endpoint::delete,
    /// See `palisade::input`.
    input => input::input,
    /// See `palisade::output`.
    output => output::output,
    /// See `palisade::resource`.
    resource => resource::resource,
    /// See `palisade::row`.
    row => resource::row,
    /// See `palisade::columns`.
    columns => columns::columns,
    /// See `palisade::settings`.
    settings => settings::settings,
    /// See `palisade::problem`.
    problem => problem::problem,
    /// See `palisade::main`.
    main => entry::main,
}

/// See `palisade::routes`.
#[proc_macro]
pub fn routes(tokens: TokenStream) -> TokenStream {
    endpoint::routes(tokens.into()).into()
}

/// See `palisade::permissions`.
#[proc_macro]
pub fn permissions(tokens: TokenStream) -> TokenStream {
    permissions::permissions(tokens.into()).into()
}

/// See `palisade::sql`.
#[proc_macro]
pub fn sql(tokens: TokenStream) -> TokenStream {
    sql::sql(tokens.into()).into()
}

/// See `palisade::migrations`.
#[proc_macro]
pub fn migrations(tokens: TokenStream) -> TokenStream {
    migrations::migrations(tokens.into()).into()
}
