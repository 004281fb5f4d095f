//! The words for permission, and the proofs of it.
//!
//! Holds OWASP API1 and API5: every handler says who may call it, and what it was allowed to do is a value that it can pass on.

mod actor;
mod fresh;
mod guard;
mod id;
mod policy;

pub use actor::{Account, Actor, Authenticated, Authenticator};
pub use fresh::Fresh;
pub use guard::{Can, Everywhere, Guard, Public, SignedIn};
pub use id::{Id, Ref};
pub use policy::{Action, Delete, Edit, Permission, Permit, Read, Role, Scope};

pub(crate) use guard::Proved;
