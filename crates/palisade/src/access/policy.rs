//! Policies beside the objects, permissions and roles as types.

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
    note = "write `impl Action for {Self} {{}}` for what is done to one object, or implement `Permission` for what is allowed everywhere"
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

/// Something that an account may do everywhere, through a role.
///
/// # Example
/// ```
/// # use palisade::prelude::*;
/// struct ManageAccounts;
/// impl Permission for ManageAccounts {
///     const NAME: &'static str = "accounts.manage";
/// }
/// ```
pub trait Permission: Send + Sync + 'static {
    /// Its name in tables and logs.
    const NAME: &'static str;
}

/// A named set of permissions that accounts are given; the database holds who has which.
///
/// # Example
/// ```
/// # use palisade::prelude::*;
/// # struct ManageAccounts;
/// # impl Permission for ManageAccounts { const NAME: &'static str = "accounts.manage"; }
/// let admin = Role::new("admin").may::<ManageAccounts>();
/// ```
#[derive(Debug, Clone)]
pub struct Role {
    pub(crate) name: &'static str,
    pub(crate) permissions: Vec<&'static str>,
    pub(crate) requires_second_factor: bool,
}

impl Role {
    /// A role that allows nothing yet.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            permissions: Vec::new(),
            requires_second_factor: false,
        }
    }

    /// Adds a permission.
    #[must_use]
    pub fn may<P: Permission>(mut self) -> Self {
        self.permissions.push(P::NAME);
        self
    }

    /// Gives its permissions only to sign-ins with a second factor.
    ///
    /// Who has none is told where to enroll one, by the 403 `second-factor-enrolment-required`; whatever asks for no permission of this role
    /// stays open to him.
    ///
    /// # Security
    /// Counted with each request, not at sign-in: a second factor that was taken away takes the permissions with it. Holds ASVS 5.0, 6.3.3 and
    /// 6.3.4, for those who can do the most harm.
    ///
    /// # Example
    /// ```
    /// # use palisade::prelude::*;
    /// # struct ManageAccounts;
    /// # impl Permission for ManageAccounts { const NAME: &'static str = "accounts.manage"; }
    /// let admin = Role::new("admin").may::<ManageAccounts>().requires_second_factor();
    /// ```
    #[must_use]
    pub fn requires_second_factor(mut self) -> Self {
        self.requires_second_factor = true;
        self
    }
}
