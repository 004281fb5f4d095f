//! Whose a resource is: an account's, or nobody's for a reason.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use super::words::Words;
use crate::Failure;

/// Letters of a reason at least; `#[resource]` wants as many.
const SHORTEST: usize = 8;
const LONGEST: usize = 80;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Owner {
    Account,
    /// Why it belongs to nobody.
    Nobody(String),
}

impl Owner {
    /// What the flags say; asked for at a terminal when they say nothing.
    pub(crate) fn of(
        owner: Option<&str>,
        unowned: Option<&str>,
        words: &Words,
    ) -> Result<Self, Failure> {
        match (owner, unowned) {
            (Some("account"), _) => Ok(Self::Account),
            (Some(other), _) => Err(Failure::usage(format!(
                "`{other}` cannot own a resource: write `--owner account`, or `--unowned \"why it belongs to nobody\"`."
            ))),
            (None, Some(reason)) => Self::nobody(reason),
            (None, None) if io::stdin().is_terminal() && io::stderr().is_terminal() => {
                Self::asked(words)
            }
            (None, None) => Err(Failure::usage(format!(
                "Whose is {}? Say `--owner account`, or `--unowned \"why it belongs to nobody\"`; there is no default.",
                words.a_one()
            ))),
        }
    }

    fn asked(words: &Words) -> Result<Self, Failure> {
        let mut output = anstream::stderr();
        let _ = write!(
            output,
            "Whose is {}? Enter for the account that makes it, or why it belongs to nobody: ",
            words.a_one()
        );
        let _ = output.flush();
        let mut line = String::new();
        let read = io::stdin().lock().read_line(&mut line);
        match (read, line.trim()) {
            (Ok(1..), "" | "account") => Ok(Self::Account),
            (Ok(1..), reason) => Self::nobody(reason),
            _ => Err(Failure::usage("Nobody answered, so nothing was written.")),
        }
    }

    fn nobody(reason: &str) -> Result<Self, Failure> {
        let reason = reason.trim();
        let odd = |letter: char| letter.is_control() || matches!(letter, '"' | '\\' | '`');
        let wrong = if reason.chars().count() < SHORTEST {
            format!("say it in {SHORTEST} letters or more")
        } else if reason.len() > LONGEST {
            format!("say it in {LONGEST} letters at most")
        } else if reason.contains(odd) {
            "write it without quotes, backslashes and control characters".to_owned()
        } else {
            return Ok(Self::Nobody(reason.to_owned()));
        };
        Err(Failure::usage(format!(
            "`--unowned` wants the reason why it belongs to nobody: {wrong}."
        )))
    }

    /// As it was said.
    pub(crate) fn flag(&self) -> String {
        match self {
            Self::Account => "--owner account".to_owned(),
            Self::Nobody(reason) => format!("--unowned \"{reason}\""),
        }
    }
}
