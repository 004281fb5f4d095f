//! Collects every error of one request, each at its JSON pointer.

use std::borrow::Cow;
use std::fmt::Display;

use super::node::{Name, Node};
use crate::error::{Error, Result, Violation};

/// What was wrong so far.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct Reader {
    violations: Vec<Violation>,
}

/// Violations reported at most; a hostile body cannot make the answer grow without end.
const MOST: usize = 100;

impl Reader {
    /// Notes that what stands here breaks a rule.
    pub fn refuse<T>(
        &mut self,
        code: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Option<T> {
        self.refuse_at(String::new(), code, detail)
    }

    /// The same for what stands below here.
    pub fn refuse_at<T>(
        &mut self,
        pointer: String,
        code: impl Into<Cow<'static, str>>,
        detail: impl Into<Cow<'static, str>>,
    ) -> Option<T> {
        if self.violations.len() < MOST {
            self.violations.push(Violation {
                pointer,
                code: code.into(),
                detail: detail.into(),
            });
        }
        None
    }

    /// Reads something that stands one step further down; what is wrong there is told with that step before it.
    pub fn within<T>(&mut self, step: impl Display, read: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.violations.len();
        let value = read(self);
        if let Some(inside @ [_, ..]) = self.violations.get_mut(before..) {
            // A client chose the name, so what is echoed of it is bounded. Escapes by RFC 6901, section 3.
            let step: String = step.to_string().chars().take(64).collect();
            let step = step.replace('~', "~0").replace('/', "~1");
            for violation in inside {
                violation.pointer = format!("/{step}{}", violation.pointer);
            }
        }
        value
    }

    /// The members of an object, each once; with `known`, others are refused.
    pub fn members(&mut self, node: Node, known: Option<&[&str]>) -> Option<Vec<(Name, Node)>> {
        let Node::Object(members) = node else {
            return self.refuse("type", "must be an object");
        };
        let fine = |at: usize| {
            let (before, name) = (&members[..at], &members[at].0);
            known.is_none_or(|known| known.contains(&&**name))
                && before.iter().all(|(other, _)| other != name)
        };
        if (0..members.len()).all(fine) {
            return Some(members);
        }
        let mut kept: Vec<(Name, Node)> = Vec::with_capacity(members.len());
        for (name, node) in members {
            if known.is_some_and(|known| !known.contains(&&*name)) {
                self.within(name, |reader| {
                    reader.refuse::<()>("unknown", "is not known here")
                });
            } else if kept.iter().any(|(other, _)| *other == name) {
                self.within(name, |reader| {
                    reader.refuse::<()>("repeated", "stands here twice")
                });
            } else {
                kept.push((name, node));
            }
        }
        Some(kept)
    }

    pub(super) fn is_clean(&self) -> bool {
        self.violations.is_empty()
    }

    pub(super) fn finish<T>(self, value: Option<T>) -> Result<T> {
        match value {
            Some(value) if self.violations.is_empty() => Ok(value),
            _ => Err(Error::invalid(self.violations)),
        }
    }
}
