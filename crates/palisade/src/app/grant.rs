//! Roles given and taken on the command line: the way to the first administrator.

use super::build::App;
use crate::config::{Problem, Refusal};

impl App {
    /// Gives the account with this address a role, or takes it away; says what is so now.
    ///
    /// # Errors
    /// Everything that keeps the app from starting, a role that it does not know, an address without an account, the last account that may
    /// manage accounts.
    pub(super) async fn grant(
        self,
        role: &str,
        email: &str,
        grant: bool,
    ) -> Result<String, Refusal> {
        let known: Vec<&str> = self.roles.iter().map(|role| role.name()).collect();
        let Some(role) = self.roles.iter().find(|own| own.name() == role).copied() else {
            return Err(refusal(
                format!("the role `{role}` is none of this app"),
                "command line",
                match known.as_slice() {
                    [] => "the app declares none: add `.role(Role::new(…))` where it is built"
                        .to_owned(),
                    known => format!("name one of: {}", known.join(", ")),
                },
            ));
        };
        let started = self.start().await?;
        let accounts = started.accounts();
        let failed = |error: &crate::error::Error| {
            error.log();
            let what = error.detail().unwrap_or("the database does not answer");
            refusal(
                what.to_owned(),
                "database",
                "mend what it says, then run this again".to_owned(),
            )
        };
        let found = accounts.find(email).await.map_err(|error| failed(&error))?;
        let Some(account) = found else {
            return Err(refusal(
                "no account has this address".to_owned(),
                "command line",
                "let its owner sign up first, or correct the address".to_owned(),
            ));
        };
        let changed = match grant {
            true => accounts.grant(account, role).await,
            false => accounts.revoke_role(account, role).await,
        };
        let changed = changed.map_err(|error| failed(&error))?;
        started.db().close().await;
        let name = role.name();
        Ok(match (grant, changed) {
            (true, true) => format!("this account has the role `{name}` now\n"),
            (true, false) => format!("this account had the role `{name}` already\n"),
            (false, true) => format!("this account has the role `{name}` no longer\n"),
            (false, false) => format!("this account did not have the role `{name}`\n"),
        })
    }
}

fn refusal(what: String, place: &'static str, fix: String) -> Refusal {
    let mut refusal = Refusal::default();
    refusal.add(Problem::new(what, place, fix));
    refusal
}
