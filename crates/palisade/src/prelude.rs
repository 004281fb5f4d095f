//! The paved path: what a service imports.

pub use crate::access::{
    Account, Action, Actor, Can, Delete, Edit, Fresh, Id, Permission, Permit, Public, Read, Ref,
    Role, Scope, SignedIn,
};
pub use crate::app::App;
pub use crate::auth;
pub use crate::auth::ApiClient;
pub use crate::config::{Refusal, Size};
pub use crate::db::{Db, Page, PageRequest, ReadDb, Tx};
pub use crate::error::{Error, Result, problem};
pub use crate::input::{
    Change, Date, Email, Int, Json, List, Map, Password, Path, Query, RichText, Service, Set, Slug,
    Text, Timestamp, Url,
};
pub use crate::output::{Accepted, Created, NoContent, StaticPage};
pub use crate::secret::Secret;
pub use crate::{
    columns, delete, get, input, migrations, output, patch, permissions, post, put, resource,
    routes, row, settings, sql,
};
