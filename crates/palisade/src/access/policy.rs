//! Policies beside the objects.

use std::future::Future;

use super::actor::Actor;
use crate::db::{ReadDb, Resource};
use crate::error::Result;

/// Something that can be done to an object; any type of yours can be one.
///
/// # Example
/// ```
/// # use palisade::prelude::*;
/// struct Share;
/// impl Action for Share {}
/// ```
#[diagnostic::on_unimplemented(
    message = "P0204: `{Self}` is neither an action nor a permission",
    label = "nothing says what it stands for",
    note = "write `impl Action for {Self} {{}}` for what is done to one object, and `permissions! {{ … }}` for what is allowed everywhere"
)]
pub trait Action: 'static {}

/// To see it.
#[derive(Debug, Clone, Copy)]
pub struct Read;
/// To change it.
#[derive(Debug, Clone, Copy)]
pub struct Edit;
/// To take it away.
#[derive(Debug, Clone, Copy)]
pub struct Delete;

impl Action for Read {}
impl Action for Edit {}
impl Action for Delete {}

/// The policy of an object for one action: who may do it, written next to the object.
///
/// # Security
/// The types prove that the policy was asked, not that it is right: test it.
#[diagnostic::on_unimplemented(
    message = "P0203: nothing says who may do `{A}` to a `{Self}`",
    label = "no policy for this action",
    note = "write the policy beside the object: `impl Permit<{A}> for {Self} {{ async fn permits(&self, actor: &Actor, db: &ReadDb) -> Result<bool> {{ … }} }}`"
)]
pub trait Permit<A>: Resource {
    /// Whether this actor may do it to this object.
    fn permits(&self, actor: &Actor, db: &ReadDb) -> impl Future<Output = Result<bool>> + Send;
}

/// What an API key may be used for: a route says which it asks for, as `ApiClient<ReadNotes>`.
///
/// # Security
/// A scope narrows what a key may do, and gives nothing: the key acts for its owner, and any account may make a key with a scope that
/// names no permission. What only some accounts may do names one: the owner must have it when the key is made, and at each use.
///
/// # Example
/// ```
/// # use palisade::prelude::*;
/// struct ReadNotes;
/// impl Scope for ReadNotes {
///     const NAME: &'static str = "notes.read";
/// }
///
/// struct ExportAccounts;
/// impl Scope for ExportAccounts {
///     const NAME: &'static str = "accounts.export";
///     const PERMISSION: Option<&'static str> = Some(auth::ManageAccounts::NAME);
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "P0902: `{Self}` is not a scope of API keys",
    label = "does not say what a key must be for",
    note = "write `ApiClient<ReadNotes>` with `struct ReadNotes; impl Scope for ReadNotes {{ const NAME: &'static str = \"notes.read\"; }}`"
)]
pub trait Scope: Send + Sync + 'static {
    /// Its name in tables, logs and answers: 1 to 64 of `a-z`, `0-9`, `.`, `:`, `_` and `-`.
    const NAME: &'static str;
    /// The [`Permission`](super::Permission) that the key's owner must have; none unless said.
    const PERMISSION: Option<&'static str> = None;
}
