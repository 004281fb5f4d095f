//! Who may call what: permissions and roles as the whole app has them.

use super::build::{App, place};
use crate::access::{PERMISSIONS, permission_type};
use crate::auth::ManageAccounts;
use crate::config::{Problem, Refusal};
use crate::db::unexported;
use crate::endpoint::Route;
use crate::input::PermissionType;

/// Where an account's data is handed out.
const EXPORT: &str = "/auth/export";

impl App {
    /// Roles and permissions that clash, and permissions that nobody could have.
    pub(super) fn check_roles(&self, refusal: &mut Refusal) {
        for (at, role) in self.roles.iter().enumerate() {
            let name = role.name();
            if let Some(fault) = role.fault() {
                refusal.add(Problem::new(
                    format!("the role `{name}` {fault}"),
                    "`.role(…)`, where the app is built",
                    "correct it in `Role::new(…)`, or make two roles of it",
                ));
            }
            if self.roles[..at].iter().any(|other| other.name() == name) {
                refusal.add(Problem::new(
                    format!("two roles are called `{name}`"),
                    "`.role(…)`, where the app is built",
                    "make one role of them, with the permissions of both, or give one another name",
                ));
            }
        }
        self.check_names(refusal);
        self.check_carried(refusal);
    }

    /// Tells what an export of an account leaves out: nobody should find out from its owner.
    pub(super) fn notice_exports(&mut self) {
        let tables = unexported();
        let exports = self.routes.iter().any(|route| route.path == EXPORT);
        if exports && !tables.is_empty() {
            self.notices.push(format!(
                "`GET {EXPORT}` leaves out what accounts own in {}: add `export = View` to `#[resource(…)]`, with an `#[output(from = …)]`",
                tables.join(", ")
            ));
        }
    }

    fn check_names(&self, refusal: &mut Refusal) {
        let framework = [permission_type::<ManageAccounts>()];
        let declared = PERMISSIONS.iter().copied().chain(framework);
        let carried = self.roles.iter().flat_map(|role| role.types());
        let asked = self.routes.iter().filter_map(permission);
        let mut seen: Vec<(&str, &str)> = Vec::new();
        for PermissionType { name, ty } in declared.chain(carried).chain(asked) {
            let ty = ty();
            if seen.contains(&(name, ty)) {
                continue;
            }
            if let Some((_, other)) = seen.iter().find(|(own, _)| *own == name) {
                refusal.add(Problem::new(
                    format!("two permissions are called `{name}`: `{other}` and `{ty}`; who has one would have the other"),
                    "`permissions!`",
                    "give one of them another name",
                ));
            }
            seen.push((name, ty));
        }
    }

    fn check_carried(&self, refusal: &mut Refusal) {
        let mut told: Vec<&str> = Vec::new();
        for route in &self.routes {
            let Some(PermissionType { name, ty }) = permission(route) else {
                continue;
            };
            if self.carriers(name).is_empty() && !told.contains(&name) {
                told.push(name);
                let short = ty().rsplit("::").next().unwrap_or_default();
                refusal.add(Problem::new(
                    format!(
                        "the handler `{}` asks for the permission `{name}`, which no role carries: nobody could call it",
                        route.name
                    ),
                    place(route),
                    format!("add `.may::<{short}>()` to a role, such as `.role(Role::new(\"admin\").may::<{short}>())` where the app is built"),
                ));
            }
        }
    }

    /// The names of the roles that carry a permission.
    fn carriers(&self, permission: &str) -> Vec<&'static str> {
        let carries = self.roles.iter().filter(|role| role.carries(permission));
        carries.map(|role| role.name()).collect()
    }

    /// Who may call a route beside what its guard says: the permission, and the roles that carry it.
    pub(super) fn callers(&self, route: &Route) -> String {
        permission(route).map_or_else(String::new, |PermissionType { name, .. }| {
            format!("{name}: {}", self.carriers(name).join(", "))
        })
    }
}

/// The permission that a route's guard asks for.
fn permission(route: &Route) -> Option<PermissionType> {
    let mut asked = route.arguments.iter();
    asked.find_map(|argument| argument.permission)
}
