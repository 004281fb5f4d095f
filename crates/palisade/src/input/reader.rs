//! Collects every error of one request, each at its JSON pointer.

use std::borrow::Cow;

use super::node::Node;
use crate::error::{Error, Result, Violation};

/// Where reading stands, and what was wrong so far.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct Reader {
    pointer: String,
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
        self.refuse_at("", code, detail)
    }

    /// The same for what stands below here.
    pub fn refuse_at<T>(
        &mut self,
        below: &str,
        code: impl Into<Cow<'static, str>>,
        detail: impl Into<Cow<'static, str>>,
    ) -> Option<T> {
        if self.violations.len() < MOST {
            let pointer = format!("{}{below}", self.pointer);
            self.violations.push(Violation {
                pointer,
                code: code.into(),
                detail: detail.into(),
            });
        }
        None
    }

    /// Reads something that stands one step further down.
    pub fn within<T>(&mut self, step: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.pointer.len();
        self.pointer.push('/');
        // RFC 6901, section 3. A client chose the name, so what is echoed of it is bounded.
        for c in step.chars().take(64) {
            match c {
                '~' => self.pointer.push_str("~0"),
                '/' => self.pointer.push_str("~1"),
                c => self.pointer.push(c),
            }
        }
        let value = read(self);
        self.pointer.truncate(length);
        value
    }

    /// The members of an object, each once; with `known`, others are refused.
    pub fn members(&mut self, node: Node, known: Option<&[&str]>) -> Option<Vec<(String, Node)>> {
        let Node::Object(members) = node else {
            return self.refuse("type", "must be an object");
        };
        let mut kept: Vec<(String, Node)> = Vec::with_capacity(members.len());
        for (name, node) in members {
            if known.is_some_and(|known| !known.contains(&name.as_str())) {
                self.within(&name, |reader| {
                    reader.refuse::<()>("unknown", "is not known here")
                });
            } else if kept.iter().any(|(other, _)| *other == name) {
                self.within(&name, |reader| {
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
