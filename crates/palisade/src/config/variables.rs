//! The environment, `.env` of a development machine, and mounted secret files.

use std::collections::BTreeMap;
use std::io::Read as _;

use super::layers::{Layers, Origin};
use super::nearest::nearest;
use super::refusal::{Problem, Refusal};
use super::sources::Sources;
use crate::secret::Secret;

const PREFIX: &str = "PALISADE_";
const OF_APP: &str = "APP__";
/// A secret file is a line of text; a larger one is a wrong path.
const LARGEST: u64 = 64 * 1024;

/// The readable lines of `.env`, and the problems of the others.
#[derive(Default)]
pub(super) struct DotEnv {
    text: Option<String>,
    pub(super) variables: BTreeMap<String, String>,
    pub(super) refusal: Refusal,
}

impl DotEnv {
    pub(super) fn read(sources: &Sources) -> Self {
        let mut file = Self::default();
        let Ok(text) = std::fs::read_to_string(sources.folder().join(".env")) else {
            return file;
        };
        for entry in dotenvy::from_read_iter(text.as_bytes()) {
            match entry {
                Ok((name, value)) => _ = file.variables.insert(name, value),
                Err(error) => file.refusal.add(Problem::new(
                    "a line cannot be read",
                    match &error {
                        dotenvy::Error::LineParse(line, _) => {
                            place(&text, |candidate| candidate == line.trim())
                        }
                        _ => ".env".into(),
                    },
                    "write NAME=value; put a value with blanks, `#` or `$` into single quotes",
                )),
            }
        }
        file.text = Some(text);
        file
    }

    pub(super) fn exists(&self) -> bool {
        self.text.is_some()
    }

    fn place(&self, name: &str) -> String {
        let named = |line: &str| {
            let line = line.strip_prefix("export ").unwrap_or(line);
            line.split_once('=')
                .is_some_and(|(written, _)| written.trim() == name)
        };
        place(self.text.as_deref().unwrap_or_default(), named)
    }
}

fn place(text: &str, fits: impl Fn(&str) -> bool) -> String {
    match text.lines().position(|line| fits(line.trim())) {
        Some(line) => format!(".env:{}", line + 1),
        None => ".env".into(),
    }
}

/// Lays `.env` over what is there.
pub(super) fn lay_dotenv(
    file: &DotEnv,
    sources: &Sources,
    layers: &mut Layers,
    refusal: &mut Refusal,
) {
    refusal.merge(file.refusal.clone());
    let variables = file
        .variables
        .iter()
        .map(|(name, value)| (name.as_str(), Some(value.as_str())));
    lay(
        variables.collect(),
        &|name| file.place(name),
        sources,
        layers,
        refusal,
    );
}

/// Lays the environment over what is there.
pub(super) fn lay_environment(sources: &Sources, layers: &mut Layers, refusal: &mut Refusal) {
    lay(
        sources.variables().collect(),
        &|_| "the environment".into(),
        sources,
        layers,
        refusal,
    );
}

fn lay(
    variables: BTreeMap<&str, Option<&str>>,
    place: &dyn Fn(&str) -> String,
    sources: &Sources,
    layers: &mut Layers,
    refusal: &mut Refusal,
) {
    for (&name, &value) in &variables {
        let direct = layers.leaf(|leaf| leaf.variable == name);
        let mounted = name
            .strip_suffix("_FILE")
            .and_then(|name| layers.leaf(|leaf| leaf.variable == name));
        let Some(leaf) = direct.or(mounted) else {
            if name.starts_with(PREFIX) && name != "PALISADE_CONFIG" {
                unknown(name, &place(name), layers, refusal);
            }
            continue;
        };
        let (path, secret) = (leaf.path.clone(), leaf.secret);
        let file = format!("{}_FILE", leaf.variable);
        if direct.is_some() && variables.contains_key(file.as_str()) {
            refusal.add(Problem::new(
                format!("`{name}` and `{file}` are both set"),
                place(name),
                "keep one of them; `_FILE` is the better one for a secret",
            ));
            layers.refuse(&path);
            continue;
        }
        let text = match (value, direct.is_some()) {
            (None, _) => Err(("is not UTF-8 text", "write it in UTF-8".to_owned())),
            (Some(value), true) => Ok(Secret::from(value)),
            (Some(value), false) => mounted_file(sources, value),
        };
        let origin = Origin {
            name: name.to_owned(),
            place: place(name),
        };
        match text {
            Err((what, fix)) => {
                layers.refuse(&path);
                refusal.add(Problem::new(format!("`{name}` {what}"), origin.place, fix));
            }
            Ok(text) if text.expose().trim().is_empty() => {
                layers.refuse(&path);
                refusal.add(Problem::new(
                    format!("`{name}` is set, but empty"),
                    origin.place,
                    "give it a value, or do not set it",
                ));
            }
            Ok(text) if secret => layers.put_secret(&path, text, origin),
            Ok(text) => layers.put(&path, text.expose().as_str().into(), origin),
        }
    }
}

/// The text of a mounted file. The path is not repeated: it is where somebody may have pasted the secret itself.
fn mounted_file(sources: &Sources, path: &str) -> Result<Secret<String>, (&'static str, String)> {
    let unreadable = |error: std::io::Error| {
        let fix = format!("give the path of a readable text file ({})", error.kind());
        ("names a file that cannot be read", fix)
    };
    let mut text = String::new();
    std::fs::File::open(sources.folder().join(path))
        .and_then(|file| file.take(LARGEST + 1).read_to_string(&mut text))
        .map_err(unreadable)?;
    if text.len() as u64 > LARGEST {
        return Err((
            "names a file of more than 64 KiB",
            "give the path of the file that holds the value alone".into(),
        ));
    }
    let text = Secret::new(text);
    Ok(Secret::from(text.expose().trim_end_matches(['\r', '\n'])))
}

fn unknown(name: &str, place: &str, layers: &mut Layers, refusal: &mut Refusal) {
    let bare = name.strip_prefix(PREFIX).unwrap_or(name);
    // Compared without the prefix, which would make everything look alike.
    let short = |variable: &str| variable.strip_prefix(PREFIX).unwrap_or(variable).to_owned();
    let candidates: Vec<String> = layers
        .leaves
        .iter()
        .map(|leaf| short(&leaf.variable))
        .collect();
    let near = nearest(bare, candidates.iter().map(String::as_str))
        .and_then(|near| layers.leaf(|leaf| short(&leaf.variable) == near))
        .map(|leaf| leaf.variable.clone());
    let fix = match near {
        Some(near) => {
            let path = layers
                .leaf(|leaf| leaf.variable == near)
                .map(|leaf| leaf.path.clone());
            if let Some(path) = path.filter(|path| layers.find(path).is_none()) {
                layers.refuse(&path);
            }
            format!("did you mean `{near}`?")
        }
        None if bare.starts_with(OF_APP) => {
            "remove it, or declare it in the `#[settings]` type".into()
        }
        None => "remove it; settings of the app itself are named `PALISADE_APP__…`".into(),
    };
    refusal.add(Problem::new(
        format!("`{name}` is not a setting"),
        place,
        fix,
    ));
}
