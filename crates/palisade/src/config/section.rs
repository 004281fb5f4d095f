//! A table of the configuration while it is read: what is wrong with it is collected, not thrown.

use super::layers::Layers;
use super::refusal::{Problem, Refusal};
use super::setting::{Member, Setting, Wrong};

/// One table that a `#[settings]` type reads itself from.
pub struct Section<'a> {
    layers: &'a Layers,
    table: String,
    production: bool,
    refusal: &'a mut Refusal,
}

impl<'a> Section<'a> {
    pub(super) fn new(layers: &'a Layers, production: bool, refusal: &'a mut Refusal) -> Self {
        Self {
            layers,
            table: String::new(),
            production,
            refusal,
        }
    }

    /// The table below this one.
    #[doc(hidden)]
    pub fn enter(&mut self, name: &str) -> Section<'_> {
        Section {
            layers: self.layers,
            table: self.path(name),
            production: self.production,
            refusal: self.refusal,
        }
    }

    /// Whether this start is one of production, whose rules are stricter.
    pub(super) fn is_production(&self) -> bool {
        self.production
    }

    /// Whether somebody wrote it, or it was refused where it was written.
    pub(super) fn has(&self, name: &str) -> bool {
        let path = self.path(name);
        let value = self.layers.leaf(|leaf| leaf.path == path).is_some();
        self.layers.is_refused(&path)
            || (value && self.layers.find(&path).is_some())
            || self.layers.has_below(&path)
    }

    /// Whether the text under this name begins so.
    pub(super) fn begins(&self, name: &str, with: &str) -> bool {
        self.layers.find(&self.path(name)).is_some_and(|found| {
            found
                .raw()
                .text()
                .is_ok_and(|text| text.trim().starts_with(with))
        })
    }

    /// A required value.
    pub(super) fn value<T: Setting>(&mut self, member: &Member) -> Option<T> {
        let path = self.path(member.name);
        if self.layers.is_refused(&path) {
            return None;
        }
        let Some(found) = self.layers.find(&path) else {
            self.missing(&path);
            return None;
        };
        match T::read(found.raw()) {
            Ok(value) => Some(value),
            Err(Wrong { what, fix }) => {
                let limits = member.limits();
                let within = if limits.is_empty() {
                    limits
                } else {
                    format!(", {limits}")
                };
                self.refuse(member, what, &format!("{fix}{within}"));
                None
            }
        }
    }

    /// Adds a problem with what stands under this name.
    pub(super) fn refuse(&mut self, member: &Member, what: &str, fix: &str) {
        let path = self.path(member.name);
        let (name, place) = match self.layers.find(&path) {
            Some(found) => (found.origin().name.clone(), found.origin().place.clone()),
            None => (self.variable(&path), "nowhere set".into()),
        };
        self.refusal
            .add(Problem::new(format!("`{name}` {what}"), place, fix));
    }

    fn missing(&mut self, path: &str) {
        let variable = self.variable(path);
        let secret = self
            .layers
            .leaf(|leaf| leaf.path == path)
            .is_some_and(|leaf| leaf.secret);
        let fix = match path {
            "database_url" => {
                "set `DATABASE_URL`, such as DATABASE_URL=sqlite://data/app.db".into()
            }
            "secret_key" => format!(
                "set `{variable}` to the output of `openssl rand -base64 32`, or `{variable}_FILE` to a file that holds it"
            ),
            _ if secret => {
                format!("set `{variable}`, or `{variable}_FILE` to a file that holds it")
            }
            _ => format!("set `{variable}`, or `{path}` in `palisade.toml`"),
        };
        let places = if secret {
            "the environment"
        } else {
            "the environment and `palisade.toml`"
        };
        self.refusal.add(Problem::new(
            format!("`{variable}` is missing"),
            places,
            fix,
        ));
    }

    fn variable(&self, path: &str) -> String {
        self.layers
            .leaf(|leaf| leaf.path == path)
            .map_or_else(|| path.to_owned(), |leaf| leaf.variable.clone())
    }

    fn path(&self, name: &str) -> String {
        match self.table.as_str() {
            "" => name.to_owned(),
            table => format!("{table}.{name}"),
        }
    }
}
