//! One field as it stands on the command line: `title:text:1..200`, `tags:set:slug:..10`, `due:date?`.

use std::ops::Range;

use anstyle::{AnsiColor, Style};

use super::kind::{self, Kind};
use super::words::not_a_column;
use crate::Failure;

/// Columns that every resource has.
const GIVEN: &[&str] = &["id", "created_at"];
/// The column of the owner.
pub(crate) const OWNER: &str = "owner_id";

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) optional: bool,
}

/// What is wrong with a field, and where.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) at: Range<usize>,
    pub(crate) wrong: String,
}

impl Fault {
    pub(crate) fn new(at: &Range<usize>, wrong: impl Into<String>) -> Self {
        Self {
            at: at.clone(),
            wrong: wrong.into(),
        }
    }
}

/// A part between two colons, and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Part<'a> {
    pub(crate) text: &'a str,
    pub(crate) at: Range<usize>,
}

/// Reads every field; the first that is wrong is told.
pub(crate) fn all(words: &[String]) -> Result<Vec<Field>, Failure> {
    let mut fields: Vec<Field> = Vec::new();
    for word in words {
        let field = one(word).and_then(|field| {
            let name = 0..field.name.len();
            if fields.iter().any(|other| other.name == field.name) {
                return Err(Fault::new(
                    &name,
                    format!("`{}` stands here twice.", field.name),
                ));
            }
            Ok(field)
        });
        fields.push(field.map_err(|fault| pointed(word, &fault))?);
    }
    Ok(fields)
}

fn one(word: &str) -> Result<Field, Fault> {
    let (plain, optional) = match word.strip_suffix('?') {
        Some(plain) => (plain, true),
        None => (word, false),
    };
    if let Some(at) = plain.find('?') {
        let moved = format!("{}?", plain.replace('?', ""));
        return Err(Fault::new(
            &(at..at + 1),
            format!("a `?` stands at the end: write `{moved}`."),
        ));
    }
    let parts = parts(plain);
    let (name, rest) = match parts.split_first() {
        Some((name, rest)) if !rest.is_empty() => (name, rest),
        _ => {
            let end = plain.len();
            return Err(Fault::new(
                &(end..end + 1),
                format!(
                    "a field says its kind: write `{plain}:text:1..200`, or one of {}.",
                    kind::names()
                ),
            ));
        }
    };
    let refused = |wrong: &str| {
        Fault::new(
            &name.at,
            format!("`{}` cannot be a field's name: {wrong}.", name.text),
        )
    };
    if GIVEN.contains(&name.text) || name.text == OWNER {
        return Err(refused(
            "every resource has this column, and no client sets it",
        ));
    }
    if let Some(wrong) = not_a_column(name.text) {
        return Err(refused(&wrong));
    }
    let kind = Kind::read(name.text, rest)?;
    Ok(Field {
        name: name.text.to_owned(),
        kind,
        optional,
    })
}

fn parts(word: &str) -> Vec<Part<'_>> {
    let mut from = 0;
    word.split(':')
        .map(|text| {
            let at = from..from + text.len();
            from = at.end + 1;
            Part { text, at }
        })
        .collect()
}

/// The word, a mark under what is wrong, and what to write.
pub(crate) fn pointed(word: &str, fault: &Fault) -> Failure {
    let red = Style::new().fg_color(Some(AnsiColor::Red.into())).bold();
    let before = word[..fault.at.start.min(word.len())].chars().count();
    let length = word
        .get(fault.at.clone())
        .map_or(1, |text| text.chars().count().max(1));
    Failure::usage(format!(
        "This field cannot be read:\n\n    {word}\n    {}{red}{}{red:#}\n\n{}",
        " ".repeat(before),
        "^".repeat(length),
        fault.wrong
    ))
}

impl Field {
    /// `NoteStatus`, what a choice among names is called in a `Note`.
    pub(crate) fn choice(&self, ty: &str) -> String {
        use heck::ToUpperCamelCase as _;
        format!("{ty}{}", self.name.to_upper_camel_case())
    }

    /// As it was written.
    pub(crate) fn word(&self) -> String {
        let mark = if self.optional { "?" } else { "" };
        format!("{}:{}{mark}", self.name, self.kind.word())
    }

    /// The type in the input of a new one.
    pub(crate) fn new_type(&self, ty: &str) -> String {
        let ty = self.kind.input_type(&self.choice(ty));
        if self.optional {
            format!("Option<{ty}>")
        } else {
            ty
        }
    }

    /// The type in the input of a change.
    pub(crate) fn edit_type(&self, ty: &str) -> String {
        let ty = self.kind.input_type(&self.choice(ty));
        if self.optional {
            format!("Change<{ty}>")
        } else {
            format!("Option<{ty}>")
        }
    }

    /// The type in the row and in what leaves the server.
    pub(crate) fn row_type(&self, ty: &str) -> String {
        let ty = self.kind.row_type(&self.choice(ty));
        if self.optional {
            format!("Option<{ty}>")
        } else {
            ty
        }
    }

    /// Its line of `create table`.
    pub(crate) fn column(&self) -> String {
        let null = if self.optional { "" } else { " not null" };
        let check = self
            .kind
            .check(&self.name)
            .map(|check| format!(" check ({check})"));
        format!(
            "{} {}{null}{}",
            self.name,
            self.kind.column(),
            check.unwrap_or_default()
        )
    }

    /// Its part of `update … set`: what is absent stays, and null clears what may be null.
    pub(crate) fn assignment(&self) -> String {
        let name = &self.name;
        if self.optional {
            format!(
                "{name} = case when {{edit.{name} == Change::Keep}} then {name} else {{edit.{name}.apply(None)}} end"
            )
        } else {
            format!("{name} = coalesce({{edit.{name}}}, {name})")
        }
    }
}
