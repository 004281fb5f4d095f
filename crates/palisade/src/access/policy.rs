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
