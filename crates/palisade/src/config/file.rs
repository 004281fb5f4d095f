//! `palisade.toml`: the layer that is committed, and therefore holds no secret.

use std::io::ErrorKind;

use figment::value::{Dict, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::layers::{Layers, Origin};
use super::nearest::nearest;
use super::refusal::{Problem, Refusal};
use super::setting::{Member, Shape};
use super::sources::Sources;

const NAME: &str = "palisade.toml";

/// Lays the file over the defaults.
pub(super) fn read(
    sources: &Sources,
    members: &[Member],
    layers: &mut Layers,
    refusal: &mut Refusal,
) {
    let chosen = sources.variable("PALISADE_CONFIG");
    let path = sources.folder().join(chosen.unwrap_or(NAME));
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound && chosen.is_none() => return,
        Err(error) => {
            let (what, place) = match chosen {
                Some(_) => (
                    "the file that `PALISADE_CONFIG` names cannot be read",
                    "the environment",
                ),
                None => ("`palisade.toml` cannot be read", NAME),
            };
            let fix = format!("make it a readable UTF-8 file ({})", error.kind());
            refusal.add(Problem::new(what, place, fix));
            return;
        }
    };
    let mut walk = Walk {
        text: &text,
        layers,
        refusal,
    };
    let (table, errors) = DeTable::parse_recoverable(&text);
    for error in &errors {
        let place = walk.place(error.span().map_or(0, |span| span.start));
        let message = error.message().lines().next().unwrap_or_default();
        walk.refusal.add(Problem::new(
            format!("this is not TOML: {}", harmless(message)),
            place,
            "mend the line; text stands in quotes, a table begins with `[name]`",
        ));
    }
    walk.table(table.get_ref(), members, "");
    // What could not be read whole may hold what else would be "missing".
    if !errors.is_empty() {
        let unset: Vec<String> = walk
            .layers
            .leaves
            .iter()
            .map(|leaf| leaf.path.clone())
            .collect();
        for path in unset
            .iter()
            .filter(|path| text.contains(path.rsplit('.').next().unwrap_or(path)))
        {
            if walk.layers.find(path).is_none() {
                walk.layers.refuse(path);
            }
        }
    }
}

/// The parser's message without what it quotes, since that may be a value.
fn harmless(message: &str) -> String {
    message
        .split('`')
        .enumerate()
        .map(|(i, part)| if i % 2 == 0 { part } else { "…" })
        .collect()
}

struct Walk<'a> {
    text: &'a str,
    layers: &'a mut Layers,
    refusal: &'a mut Refusal,
}

impl Walk<'_> {
    fn table(&mut self, table: &DeTable<'_>, members: &[Member], above: &str) {
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        for (key, value) in entries {
            let name = key.get_ref().as_ref();
            let path = match above {
                "" => name.to_owned(),
                above => format!("{above}.{name}"),
            };
            let place = self.place(key.span().start);
            match members.iter().find(|member| member.name == name) {
                None => self.unknown(name, members, above, place),
                Some(member) => self.known(member, value, &path, place),
            }
        }
    }

    fn known(&mut self, member: &Member, value: &Spanned<DeValue<'_>>, path: &str, place: String) {
        match (member.shape, value.get_ref()) {
            (Shape::Table(members), DeValue::Table(table)) => self.table(table, members, path),
            (Shape::Table(_), _) => self.refusal.add(Problem::new(
                format!("`{path}` is not a table"),
                place,
                format!("write `[{path}]` on a line of its own, and its settings below it"),
            )),
            (Shape::Value { .. }, _) if path == "env" => {
                self.layers.refuse(path);
                self.refusal.add(Problem::new(
                    "`env` stands in the committed file, which every environment shares",
                    place,
                    "remove it, and set the variable `PALISADE_ENV` where the service runs",
                ));
            }
            (Shape::Value { secret }, value) => {
                let local = path == "database_url"
                    && value.as_str().is_some_and(|url| url.starts_with("sqlite:"));
                if secret && !local {
                    return self.secret(path, place);
                }
                let origin = Origin {
                    name: path.to_owned(),
                    place,
                };
                match (secret, value.as_str()) {
                    (true, Some(text)) => self.layers.put_secret(path, text.into(), origin),
                    _ => self.layers.put(path, figment_value(value), origin),
                }
            }
        }
    }

    fn secret(&mut self, path: &str, place: String) {
        let variable = self
            .layers
            .leaf(|leaf| leaf.path == path)
            .map_or_else(String::new, |leaf| leaf.variable.clone());
        self.layers.refuse(path);
        self.refusal.add(Problem::new(
            format!("`{path}` is a secret in a file that is committed"),
            place,
            format!(
                "remove it there, take a new one, and set `{variable}` or `{variable}_FILE` instead"
            ),
        ));
    }

    fn unknown(&mut self, name: &str, members: &[Member], above: &str, place: String) {
        // Under a key that nobody declared, the key itself may be a pasted value: only plain names are repeated.
        let plain = name.len() <= 40
            && name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || b"_-".contains(&byte));
        let shown = if plain {
            format!("`{name}`")
        } else {
            "a key here".into()
        };
        let inside = if above.is_empty() {
            String::new()
        } else {
            format!(" in `[{above}]`")
        };
        let near = nearest(name, members.iter().map(|member| member.name));
        let fix = match near {
            Some(near) => {
                let path = if above.is_empty() {
                    near.to_owned()
                } else {
                    format!("{above}.{near}")
                };
                if self.layers.find(&path).is_none() {
                    self.layers.refuse(&path);
                }
                format!("did you mean `{near}`?")
            }
            None if above.is_empty() => {
                "remove it; settings of the app itself stand in `[app]`".into()
            }
            None => "remove it, or declare it in the `#[settings]` type".into(),
        };
        self.refusal.add(Problem::new(
            format!("{shown} is not a setting{inside}"),
            place,
            fix,
        ));
    }

    fn place(&self, offset: usize) -> String {
        let before = self.text.get(..offset).unwrap_or_default();
        format!("{NAME}:{}", before.matches('\n').count() + 1)
    }
}

fn figment_value(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => text.as_ref().into(),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or_else(|_| Dict::new().into(), Value::from),
        DeValue::Float(number) => number
            .as_str()
            .parse::<f64>()
            .map_or_else(|_| Dict::new().into(), Value::from),
        DeValue::Boolean(value) => (*value).into(),
        DeValue::Datetime(value) => value.to_string().into(),
        DeValue::Array(list) => list
            .iter()
            .map(|item| figment_value(item.get_ref()))
            .collect::<Vec<Value>>()
            .into(),
        DeValue::Table(_) => Dict::new().into(),
    }
}
