//! The layers of a configuration, merged by figment: each value with its origin, secrets kept apart.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use figment::value::{Map, Value};
use figment::{Figment, Metadata, Profile, Provider};

use super::setting::{Member, Raw, Shape};
use crate::secret::Secret;

const DEFAULT: &str = "the default in the code";

/// Where a value was written, and under which name.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    pub(super) name: String,
    pub(super) place: String,
}

/// One setting that has a value: its path, its variable, its rules.
pub(super) struct Leaf {
    pub(super) path: String,
    pub(super) variable: String,
    pub(super) member: Member,
    pub(super) secret: bool,
}

/// The merged layers. Secrets stay out of figment, whose `Debug` prints values and whose memory is not wiped.
pub(super) struct Layers {
    pub(super) leaves: Vec<Leaf>,
    figment: Figment,
    /// What figment makes of them: it merges all anew whenever it is asked for one.
    merged: OnceCell<Option<Value>>,
    secrets: BTreeMap<String, (Secret<String>, Origin)>,
    refused: BTreeSet<String>,
}

/// What was found for a path.
pub(super) enum Found {
    Open(Value, Origin),
    Secret(Secret<String>, Origin),
}

impl Layers {
    /// The lowest layer: the defaults of the code.
    pub(super) fn new(members: &[Member]) -> Self {
        let mut leaves = Vec::new();
        collect(members, "", &mut leaves);
        let mut layers = Self {
            leaves,
            figment: Figment::new(),
            merged: OnceCell::new(),
            secrets: BTreeMap::new(),
            refused: BTreeSet::new(),
        };
        for index in 0..layers.leaves.len() {
            let leaf = &layers.leaves[index];
            if let (Some(text), false) = (leaf.member.default, leaf.secret) {
                let origin = Origin {
                    name: leaf.variable.clone(),
                    place: DEFAULT.into(),
                };
                let path = leaf.path.clone();
                layers.put(&path, text.into(), origin);
            }
        }
        layers
    }

    /// Lays a value over what is there.
    pub(super) fn put(&mut self, path: &str, value: Value, origin: Origin) {
        let figment = std::mem::take(&mut self.figment);
        self.figment = figment.merge(Piece {
            path,
            value,
            origin,
        });
        self.merged = OnceCell::new();
    }

    /// Lays a secret over what is there.
    pub(super) fn put_secret(&mut self, path: &str, value: Secret<String>, origin: Origin) {
        self.secrets.insert(path.to_owned(), (value, origin));
    }

    /// Remembers that this one was already refused, so that it is not also "missing".
    pub(super) fn refuse(&mut self, path: &str) {
        self.refused.insert(path.to_owned());
    }

    pub(super) fn is_refused(&self, path: &str) -> bool {
        self.refused.contains(path)
    }

    pub(super) fn find(&self, path: &str) -> Option<Found> {
        if let Some((value, origin)) = self.secrets.get(path) {
            return Some(Found::Secret(value.clone(), origin.clone()));
        }
        let merge = || self.figment.find_value("").ok();
        let merged = self.merged.get_or_init(merge).as_ref()?;
        let value = merged.find_ref(path)?.clone();
        let metadata = self.figment.get_metadata(value.tag());
        let origin = Origin {
            place: metadata.map_or_else(String::new, |metadata| metadata.name.to_string()),
            name: metadata
                .and_then(|metadata| metadata.source.as_ref()?.custom())
                .unwrap_or(path)
                .to_owned(),
        };
        Some(Found::Open(value, origin))
    }

    /// Whether any setting of this table was written by somebody: a default alone does not count.
    pub(super) fn has_below(&self, table: &str) -> bool {
        let below = |path: &str| {
            path.strip_prefix(table)
                .is_some_and(|rest| rest.starts_with('.'))
        };
        let written = |path: &str| {
            self.find(path)
                .is_some_and(|found| found.origin().place != DEFAULT)
        };
        self.leaves
            .iter()
            .any(|leaf| below(&leaf.path) && (written(&leaf.path) || self.is_refused(&leaf.path)))
    }

    /// The leaf of a path or of a variable.
    pub(super) fn leaf(&self, fits: impl Fn(&Leaf) -> bool) -> Option<&Leaf> {
        self.leaves.iter().find(|leaf| fits(leaf))
    }
}

impl Found {
    pub(super) fn raw(&self) -> Raw<'_> {
        match self {
            Self::Open(value, _) => Raw::of(value),
            Self::Secret(value, _) => Raw::Text(value.expose()),
        }
    }

    pub(super) fn origin(&self) -> &Origin {
        match self {
            Self::Open(_, origin) | Self::Secret(_, origin) => origin,
        }
    }
}

/// One value as a figment provider, so that figment's metadata tells its origin.
struct Piece<'a> {
    path: &'a str,
    value: Value,
    origin: Origin,
}

impl Provider for Piece<'_> {
    fn metadata(&self) -> Metadata {
        Metadata::from(
            self.origin.place.clone(),
            figment::Source::Custom(self.origin.name.clone()),
        )
    }

    fn data(&self) -> figment::Result<Map<Profile, figment::value::Dict>> {
        let nested = figment::util::nest(self.path, self.value.clone());
        let dict = nested.into_dict().unwrap_or_default();
        Ok(Profile::Default.collect(dict))
    }
}

fn collect(members: &[Member], table: &str, into: &mut Vec<Leaf>) {
    for member in members {
        let path = match table {
            "" => member.name.to_owned(),
            _ => format!("{table}.{}", member.name),
        };
        match member.shape {
            Shape::Table(members) => collect(members, &path, into),
            Shape::Value { secret } => into.push(Leaf {
                variable: variable(&path),
                path,
                member: *member,
                secret,
            }),
        }
    }
}

/// The environment variable of a setting.
fn variable(path: &str) -> String {
    match path {
        "database_url" => "DATABASE_URL".into(),
        "host" => "HOST".into(),
        "port" => "PORT".into(),
        _ => format!("PALISADE_{}", path.replace('.', "__").to_uppercase()),
    }
}
