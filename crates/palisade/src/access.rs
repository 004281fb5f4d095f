//! The words for permission, and the proofs of it.
//!
//! Holds OWASP API1 and API5: every handler says who may call it, and what it was allowed to do is a value that it can pass on.

mod actor;
mod fresh;
mod guard;
mod id;
mod permission;
mod policy;

pub(crate) use actor::Factor;
pub use actor::{Account, Actor, Authenticated, Authenticator};
pub use fresh::Fresh;
pub use guard::{Can, Everywhere, Guard, Public, SignedIn};
pub use id::{Id, Ref};
#[doc(hidden)]
pub use permission::{PERMISSIONS, permission_type};
pub use permission::{Permission, Role};
pub use policy::{Action, Delete, Edit, Permit, Read, Scope};

pub(crate) use guard::Proved;
