//! Permissions as types, and the roles that carry them.

use std::fmt;

use linkme::distributed_slice;

use crate::input::PermissionType;

/// Every permission of the program that `permissions!` declares.
#[doc(hidden)]
#[distributed_slice]
pub static PERMISSIONS: [PermissionType];

/// Something that an account may do everywhere, through a role; declared by [`permissions!`](crate::permissions).
#[diagnostic::on_unimplemented(
    message = "P0210: `{Self}` is not a permission",
    label = "nothing says what it is called",
    note = "declare it: `permissions! {{ pub {Self} = \"accounts.manage\"; }}`"
)]
pub trait Permission: Send + Sync + 'static {
    /// Its name in logs and tables.
    const NAME: &'static str;
}

#[doc(hidden)]
pub const fn permission_type<P: Permission>() -> PermissionType {
    PermissionType {
        name: P::NAME,
        ty: std::any::type_name::<P>,
    }
}

/// A named set of permissions that accounts are given; the database holds who has which.
///
/// It is a constant of the app: `App::role` makes it known, and `Accounts::grant` gives it to an account.
///
/// # Example
/// ```
/// use palisade::prelude::*;
///
/// permissions! {
///     /// To publish what others wrote.
///     pub Publish = "notes.publish";
/// }
///
/// const EDITOR: Role = Role::new("editor").may::<Publish>();
/// const ADMIN: Role = Role::new("admin").may::<Publish>().may::<auth::ManageAccounts>();
/// ```
#[derive(Clone, Copy)]
pub struct Role {
    name: &'static str,
    permissions: [Option<PermissionType>; Self::MOST],
    /// How many it was given, those that found no place among them.
    given: usize,
    requires_second_factor: bool,
}

impl Role {
    /// Permissions that one role carries at most.
    pub const MOST: usize = 64;
    /// Characters of its name at most.
    const LONGEST: usize = 64;

    /// A role that allows nothing yet. Its name is of `a-z`, `0-9`, `-`, `_` and `.`.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            permissions: [None; Self::MOST],
            given: 0,
            requires_second_factor: false,
        }
    }

    /// Adds a permission.
    #[must_use]
    pub const fn may<P: Permission>(mut self) -> Self {
        if self.given < Self::MOST {
            self.permissions[self.given] = Some(permission_type::<P>());
        }
        self.given += 1;
        self
    }

    /// Gives its permissions only to sign-ins with a second factor.
    ///
    /// Who has none is told where to enroll one, by the 403 `second-factor-enrolment-required`; whatever asks for no permission of this role
    /// stays open to them.
    ///
    /// # Security
    /// Counted with each request, not at sign-in: a second factor that was taken away takes the permissions with it. Holds ASVS 5.0, 6.3.3 and
    /// 6.3.4, for those who can do the most harm.
    ///
    /// # Example
    /// ```
    /// use palisade::prelude::*;
    ///
    /// const ADMIN: Role = Role::new("admin").may::<auth::ManageAccounts>().requires_second_factor();
    /// ```
    #[must_use]
    pub const fn requires_second_factor(mut self) -> Self {
        self.requires_second_factor = true;
        self
    }

    pub(crate) const fn wants_second_factor(&self) -> bool {
        self.requires_second_factor
    }

    /// Its name in the database.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The names of its permissions.
    pub fn permissions(&self) -> impl Iterator<Item = &'static str> {
        self.types().map(|permission| permission.name)
    }

    pub(crate) fn carries(&self, permission: &str) -> bool {
        self.permissions().any(|name| name == permission)
    }

    pub(crate) fn types(&self) -> impl Iterator<Item = PermissionType> {
        self.permissions.into_iter().flatten()
    }

    /// What is wrong with how it is written.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.');
        let fits = (1..=Self::LONGEST).contains(&self.name.len());
        if !fits || !self.name.bytes().all(plain) {
            return Some("has a name that is not 1 to 64 of `a-z`, `0-9`, `-`, `_` and `.`");
        }
        (self.given > Self::MOST).then_some("carries more than 64 permissions")
    }
}

impl fmt::Debug for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let permissions: Vec<_> = self.permissions().collect();
        f.debug_struct("Role")
            .field("name", &self.name)
            .field("permissions", &permissions)
            .finish()
    }
}
