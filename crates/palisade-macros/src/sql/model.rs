//! What the literal says: its parts, whether it writes, and what is wrong with it.

use syn::{Expr, LitStr};

use super::parse::Call;
use super::text::{ambiguity, is_end, quoted, without_quotes, words};
use crate::report::Report;

pub(super) struct Statement {
    pub(super) parts: Vec<Part>,
    pub(super) writes: bool,
    /// The text that is prepared at start: holes are `$n`, pieces `(1 = 1)`, orders `1`.
    pub(super) checked: String,
    /// How many `$n` there are in it.
    pub(super) values: usize,
}

pub(super) enum Part {
    Text(String),
    Value(Expr),
    List(Expr),
    Piece(Expr),
    Order(Expr),
}

impl Statement {
    /// Whether its text is the same at every run.
    pub(super) fn is_fixed(&self) -> bool {
        self.parts
            .iter()
            .all(|part| matches!(part, Part::Text(_) | Part::Value(_)))
    }
}

const WRITING: &[&str] = &[
    "insert",
    "update",
    "delete",
    "merge",
    "truncate",
    "into",
    "nextval",
    "setval",
    "lo_import",
    "lo_export",
    "pg_notify",
    "set_config",
];

pub(super) fn model(call: &Call, report: &mut Report) -> Option<Statement> {
    let parts = split(&call.literal, report)?;
    let found = parts.iter().find_map(|part| match part {
        Part::Text(text) => ambiguity(text),
        _ => None,
    });
    if let Some(found) = found {
        report.add(
            &call.literal,
            "P0516",
            &format!("the databases do not read this text alike: it holds {found}"),
            "write values in braces, `{note.id}` or `{\"text\"}`, and plain names",
        );
    }
    // A hole is a word of its own.
    let text: Vec<&str> = parts
        .iter()
        .map(|part| match part {
            Part::Text(text) => text.as_str(),
            _ => "?",
        })
        .collect();
    let text = text.join(" ");
    let words = words(&text);
    if without_quotes(&text).contains(';') {
        report.add(
            &call.literal,
            "P0509",
            "one `sql!` is one statement",
            "write each statement in its own `sql!`, inside `db.begin()` when they belong together",
        );
    }
    let first = words.first().map(String::as_str).unwrap_or_default();
    let writes = match first {
        _ if call.on.is_some() => false,
        "insert" | "update" | "delete" => true,
        "select" | "values" | "with" => words.iter().any(|word| WRITING.contains(&word.as_str())),
        _ => {
            report.add(
                &call.literal,
                "P0510",
                "a statement starts with select, insert, update, delete, with or values",
                "tables are changed by files in `migrations/`; a condition for other statements is `sql!(\"…\", on = \"table\")`",
            );
            false
        }
    };
    if call
        .unscoped
        .as_ref()
        .is_some_and(|reason| reason.value().trim().len() < 8)
    {
        report.add(
            &call.unscoped,
            "P0514",
            "`unscoped` wants the reason",
            "say in a few words why this may touch rows of every owner",
        );
    }
    let (checked, values) = checked(&parts, call.on.as_ref());
    Some(Statement {
        parts,
        writes,
        checked,
        values,
    })
}

fn checked(parts: &[Part], on: Option<&LitStr>) -> (String, usize) {
    let mut count = 0;
    let body: String = parts
        .iter()
        .map(|part| match part {
            Part::Text(text) => text.clone(),
            Part::Value(_) | Part::List(_) => {
                count += 1;
                format!("${count}")
            }
            Part::Piece(_) => "(1 = 1)".to_owned(),
            Part::Order(_) => "1".to_owned(),
        })
        .collect();
    let text = match on {
        Some(table) => format!("select 1 from {} where {body}", table.value()),
        None => body,
    };
    (text, count)
}

/// Splits at braces outside of quotes and comments; `{{` and `}}` are braces.
fn split(literal: &LitStr, report: &mut Report) -> Option<Vec<Part>> {
    let source = literal.value();
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut rest = source.as_str();
    while let Some(first) = rest.chars().next() {
        if let Some(length) = quoted(rest) {
            if matches!(first, '\'' | '"') && rest[..length].contains('{') {
                report.add(
                    literal,
                    "P0511",
                    "a value inside quotes would be part of the text",
                    "take the quotes away: `{value}` is bound, and needs none",
                );
                return None;
            }
            text.push_str(&rest[..length]);
            rest = &rest[length..];
        } else if first == ';' && is_end(&rest[1..]) {
            // It ends the statement, which may stand inside another one.
            rest = &rest[1..];
        } else if rest.starts_with("{{") || rest.starts_with("}}") {
            text.push(first);
            rest = &rest[2..];
        } else if first == '{' {
            let Some(end) = closing(rest) else {
                report.add(
                    literal,
                    "P0504",
                    "a brace is not closed",
                    "close it, or write `{{` for a brace that belongs to the SQL",
                );
                return None;
            };
            parts.push(Part::Text(std::mem::take(&mut text)));
            parts.push(hole(&rest[1..end], literal, report)?);
            rest = &rest[end + 1..];
        } else if first == '}' {
            report.add(
                literal,
                "P0504",
                "a brace is closed that was not opened",
                "open it, or write `}}` for a brace that belongs to the SQL",
            );
            return None;
        } else {
            text.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    parts.push(Part::Text(text));
    Some(parts)
}

fn hole(inside: &str, literal: &LitStr, report: &mut Report) -> Option<Part> {
    let inside = inside.trim();
    if inside.is_empty() {
        report.add(
            literal,
            "P0504",
            "`{}` holds no value",
            "name the value in the braces: `{note.id}`",
        );
        return None;
    }
    type Make = fn(Expr) -> Part;
    let kinds: [(&str, Make); 3] = [
        ("..", Part::List),
        ("sql:", Part::Piece),
        ("order:", Part::Order),
    ];
    let (make, source) = kinds
        .into_iter()
        .find_map(|(prefix, make)| Some((make, inside.strip_prefix(prefix)?)))
        .unwrap_or((Part::Value, inside));
    match LitStr::new(source, literal.span()).parse() {
        Ok(expr) => Some(make(expr)),
        Err(_) => {
            report.add(
                literal,
                "P0504",
                &format!("`{{{inside}}}` is not a Rust expression"),
                "write a value, `..list`, `order: choice` or `sql: piece` in the braces",
            );
            None
        }
    }
}

fn closing(rest: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, c) in rest.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}
