//! What stands in the link-time registries.

/// Whether what is expanded may register itself. `linkme` counts as unsafe code where its slice is declared, so the framework's own
/// crate registers nothing; its statements are all run by its tests.
pub(crate) fn is_open() -> bool {
    std::env::var("CARGO_CRATE_NAME").is_ok_and(|name| name != "palisade")
}
