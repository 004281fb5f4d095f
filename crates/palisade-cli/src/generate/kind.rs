//! The kinds of fields: what each is in an input, in a row, in a table and in a test.

use heck::{ToSnakeCase as _, ToUpperCamelCase as _};

use super::field::{Fault, Part};
use super::words::not_snake;

/// Elements and letters at most; more does not fit into a body anyway.
const MOST: u32 = 1_000_000;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Bool,
    Choice(Vec<String>),
    Date,
    Email,
    Float { min: f64, max: f64 },
    Int { min: i64, max: i64 },
    List(Box<Kind>, u32),
    RichText { max: u32 },
    Set(Box<Kind>, u32),
    Slug,
    Text { min: u32, max: u32 },
    Timestamp,
    Url,
}

/// Each kind and how it is written.
pub(crate) const KINDS: &[(&str, &str)] = &[
    ("bool", "bool"),
    ("choice", "choice:draft,sent"),
    ("date", "date"),
    ("email", "email"),
    ("float", "float:0.5..5.0"),
    ("int", "int:1..5"),
    ("list", "list:text:1..80:..20"),
    ("richtext", "richtext:..10000"),
    ("set", "set:slug:..10"),
    ("slug", "slug"),
    ("text", "text:1..200"),
    ("timestamp", "timestamp"),
    ("url", "url"),
];

/// `bool`, `date` and so on.
pub(crate) fn names() -> String {
    let names: Vec<_> = KINDS.iter().map(|(name, _)| format!("`{name}`")).collect();
    names.join(", ")
}

/// A kind of this name as it could be written.
fn example(name: &str) -> &'static str {
    KINDS
        .iter()
        .find(|(kind, _)| *kind == name)
        .map_or("text:1..200", |(_, example)| example)
}

impl Kind {
    /// Reads what stands behind a field's name.
    pub(crate) fn read(field: &str, parts: &[Part<'_>]) -> Result<Self, Fault> {
        let Some((kind, rest)) = parts.split_first() else {
            return Err(Fault::new(
                &(0..1),
                format!("a field says its kind: {}.", names()),
            ));
        };
        let end = parts.last().map_or(0, |part| part.at.end);
        let lacks = |what: &str| {
            let example = example(kind.text);
            Fault::new(
                &(end..end + 1),
                format!("{what}: write `{field}:{example}`."),
            )
        };
        let plain = |made: Self| match rest.first() {
            None => Ok(made),
            Some(more) => Err(Fault::new(
                &(more.at.start..end),
                format!(
                    "a {} takes nothing more: write `{field}:{}`.",
                    kind.text, kind.text
                ),
            )),
        };
        let single = |what: &str| match rest {
            [bounds] => Ok(bounds),
            [] => Err(lacks(what)),
            [_, more, ..] => Err(Fault::new(
                &(more.at.start..end),
                format!(
                    "nothing follows the bounds: write `{field}:{}`.",
                    example(kind.text)
                ),
            )),
        };
        match kind.text {
            "bool" => plain(Self::Bool),
            "date" => plain(Self::Date),
            "email" => plain(Self::Email),
            "slug" => plain(Self::Slug),
            "timestamp" => plain(Self::Timestamp),
            "url" => plain(Self::Url),
            "text" => {
                let bounds = single("a text has a maximum")?;
                let (min, max) = counts(field, kind.text, bounds)?;
                Ok(Self::Text {
                    min: min.unwrap_or(0),
                    max,
                })
            }
            "richtext" => {
                let bounds = single("a rich text has a maximum")?;
                Ok(Self::RichText {
                    max: maximum(field, kind.text, bounds)?,
                })
            }
            "int" => {
                let bounds = single("an int has bounds")?;
                let (min, max) = numbers::<i64>(field, kind.text, bounds)?;
                Ok(Self::Int { min, max })
            }
            "float" => {
                let bounds = single("a float has bounds")?;
                let (min, max) = numbers::<f64>(field, kind.text, bounds)?;
                if !min.is_finite() || !max.is_finite() {
                    return Err(Fault::new(&bounds.at, "a bound is a number."));
                }
                Ok(Self::Float { min, max })
            }
            "choice" => Ok(Self::Choice(choices(
                field,
                single("a choice has its names")?,
            )?)),
            "list" | "set" => collection(field, kind, rest, end),
            "" => Err(Fault::new(
                &(end..end + 1),
                format!(
                    "the kind is missing: write `{field}:text:1..200`, or one of {}.",
                    names()
                ),
            )),
            unknown => {
                let far = |(name, _): &&(&str, &str)| strsim::damerau_levenshtein(name, unknown);
                let nearest = KINDS.iter().min_by_key(far).filter(|kind| far(kind) <= 2);
                let hint = match nearest {
                    Some((name, example)) => {
                        format!("did you mean `{name}`, as in `{field}:{example}`?")
                    }
                    None => format!("there are {}.", names()),
                };
                Err(Fault::new(
                    &kind.at,
                    format!("`{unknown}` is no kind of field; {hint}"),
                ))
            }
        }
    }

    /// As it was written.
    pub(crate) fn word(&self) -> String {
        match self {
            Self::Bool => "bool".to_owned(),
            Self::Choice(names) => format!("choice:{}", names.join(",")),
            Self::Date => "date".to_owned(),
            Self::Email => "email".to_owned(),
            Self::Float { min, max } => format!("float:{min:?}..{max:?}"),
            Self::Int { min, max } => format!("int:{min}..{max}"),
            Self::List(of, max) => format!("list:{}:..{max}", of.word()),
            Self::RichText { max } => format!("richtext:..{max}"),
            Self::Set(of, max) => format!("set:{}:..{max}", of.word()),
            Self::Slug => "slug".to_owned(),
            Self::Text { min: 0, max } => format!("text:..{max}"),
            Self::Text { min, max } => format!("text:{min}..{max}"),
            Self::Timestamp => "timestamp".to_owned(),
            Self::Url => "url".to_owned(),
        }
    }

    /// Its type in an input; `choice` is what an enum of it is called.
    pub(crate) fn input_type(&self, choice: &str) -> String {
        match self {
            Self::Int { min, max } => format!("Int<{}, {}>", grouped(*min), grouped(*max)),
            Self::List(of, max) => format!(
                "List<{}, {}>",
                of.input_type(choice),
                grouped(i64::from(*max))
            ),
            Self::RichText { max } => format!("RichText<{}>", grouped(i64::from(*max))),
            Self::Set(of, max) => format!(
                "Set<{}, {}>",
                of.input_type(choice),
                grouped(i64::from(*max))
            ),
            Self::Text { min, max } => {
                format!(
                    "Text<{}, {}>",
                    grouped(i64::from(*min)),
                    grouped(i64::from(*max))
                )
            }
            other => other.row_type(choice),
        }
    }

    /// Its type in a row and in an output.
    pub(crate) fn row_type(&self, choice: &str) -> String {
        match self {
            Self::Bool => "bool".to_owned(),
            Self::Choice(_) => choice.to_owned(),
            Self::Date => "Date".to_owned(),
            Self::Email => "Email".to_owned(),
            Self::Float { .. } => "f64".to_owned(),
            Self::Int { .. } => "i64".to_owned(),
            Self::List(..) | Self::Set(..) => self.input_type(choice),
            Self::RichText { .. } => "RichText".to_owned(),
            Self::Slug => "Slug".to_owned(),
            Self::Text { .. } => "String".to_owned(),
            Self::Timestamp => "Timestamp".to_owned(),
            Self::Url => "Url".to_owned(),
        }
    }

    /// The rule that bounds a plain type.
    pub(crate) fn rule(&self) -> Option<String> {
        match self {
            Self::Float { min, max } => {
                Some(format!("#[garde(range(min = {min:?}, max = {max:?}))]"))
            }
            _ => None,
        }
    }

    /// Its type in a table, read alike by SQLite and PostgreSQL.
    pub(crate) fn column(&self) -> &'static str {
        match self {
            Self::Bool => "boolean",
            Self::Date => "date",
            Self::Float { .. } => "double precision",
            Self::Int { .. } => "bigint",
            Self::List(..) | Self::Set(..) => "jsonb",
            Self::Timestamp => "timestamptz",
            Self::Choice(_)
            | Self::Email
            | Self::RichText { .. }
            | Self::Slug
            | Self::Text { .. }
            | Self::Url => "text",
        }
    }

    /// What the table checks too.
    pub(crate) fn check(&self, name: &str) -> Option<String> {
        match self {
            Self::Int { min, max } => Some(format!("{name} between {min} and {max}")),
            Self::Float { min, max } => Some(format!("{name} between {min:?} and {max:?}")),
            Self::Choice(names) => {
                let quoted: Vec<_> = names.iter().map(|name| format!("'{name}'")).collect();
                Some(format!("{name} in ({})", quoted.join(", ")))
            }
            _ => None,
        }
    }

    /// The variants of a choice.
    pub(crate) fn variants(&self) -> Vec<String> {
        match self {
            Self::Choice(names) => names
                .iter()
                .map(|name| name.to_upper_camel_case())
                .collect(),
            _ => Vec::new(),
        }
    }
}

/// `10_000`, as it is written by hand.
fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let sign = if number < 0 { "-" } else { "" };
    if digits.len() < 5 {
        return format!("{sign}{digits}");
    }
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('_');
        }
        text.push(digit);
    }
    format!("{sign}{text}")
}

/// The two sides of `1..200`.
fn sides<'a>(field: &str, kind: &str, bounds: &Part<'a>) -> Result<(&'a str, &'a str), Fault> {
    bounds.text.split_once("..").ok_or_else(|| {
        Fault::new(
            &bounds.at,
            format!(
                "bounds are written `min..max`: write `{field}:{}`.",
                example(kind)
            ),
        )
    })
}

/// Where the sides of `1..200` stand.
fn places(bounds: &Part<'_>, min: &str) -> (std::ops::Range<usize>, std::ops::Range<usize>) {
    let at = &bounds.at;
    (
        at.start..at.start + min.len(),
        at.start + min.len() + 2..at.end,
    )
}

fn counts(field: &str, kind: &str, bounds: &Part<'_>) -> Result<(Option<u32>, u32), Fault> {
    let (min, max) = sides(field, kind, bounds)?;
    let (min_at, max_at) = places(bounds, min);
    let count = |text: &str, at: &std::ops::Range<usize>| {
        let count = text.parse::<u32>().ok().filter(|count| *count <= MOST);
        count.ok_or_else(|| {
            let wrong = if text.is_empty() {
                "the maximum is missing".to_owned()
            } else {
                format!("the bound `{text}` is no count up to {MOST}")
            };
            let at = if at.is_empty() { &bounds.at } else { at };
            Fault::new(at, format!("{wrong}: write `{field}:{}`.", example(kind)))
        })
    };
    let low = if min.is_empty() {
        None
    } else {
        Some(count(min, &min_at)?)
    };
    let high = count(max, &max_at)?;
    if high == 0 || low.is_some_and(|low| low > high) {
        return Err(Fault::new(
            &bounds.at,
            "no length lies within these bounds: write the smaller one first.",
        ));
    }
    Ok((low, high))
}

/// `..10000` alone.
fn maximum(field: &str, kind: &str, bounds: &Part<'_>) -> Result<u32, Fault> {
    match counts(field, kind, bounds)? {
        (None, max) => Ok(max),
        (Some(_), max) => Err(Fault::new(
            &bounds.at,
            format!("only a maximum stands here: write `..{max}`."),
        )),
    }
}

fn numbers<T: std::str::FromStr + PartialOrd>(
    field: &str,
    kind: &str,
    bounds: &Part<'_>,
) -> Result<(T, T), Fault> {
    let (min, max) = sides(field, kind, bounds)?;
    let (min_at, max_at) = places(bounds, min);
    let number = |text: &str, at: &std::ops::Range<usize>| {
        text.parse::<T>().map_err(|_| {
            let wrong = if text.is_empty() {
                "both bounds are needed".to_owned()
            } else {
                format!("`{text}` is no {kind}")
            };
            Fault::new(
                if at.is_empty() { &bounds.at } else { at },
                format!("{wrong}: write `{field}:{}`.", example(kind)),
            )
        })
    };
    let (low, high) = (number(min, &min_at)?, number(max, &max_at)?);
    if low > high {
        return Err(Fault::new(
            &bounds.at,
            "no number lies within these bounds: write the smaller one first.",
        ));
    }
    Ok((low, high))
}

fn choices(field: &str, part: &Part<'_>) -> Result<Vec<String>, Fault> {
    let mut names: Vec<String> = Vec::new();
    let mut from = part.at.start;
    for name in part.text.split(',') {
        let at = from..from + name.len();
        from = at.end + 1;
        let place = if at.is_empty() { &part.at } else { &at };
        let refused =
            |wrong: &str| Fault::new(place, format!("`{name}` cannot be a choice: {wrong}."));
        if let Some(wrong) = not_snake(name) {
            return Err(refused(&wrong));
        }
        if name.to_upper_camel_case().to_snake_case() != name
            || name.to_upper_camel_case() == "Self"
        {
            return Err(refused("it does not survive as the name of a variant"));
        }
        if names.iter().any(|other| other == name) {
            return Err(refused("it stands here twice"));
        }
        names.push(name.to_owned());
    }
    if names.len() < 2 {
        return Err(Fault::new(
            &part.at,
            format!(
                "one name is no choice: write `{field}:{}`.",
                example("choice")
            ),
        ));
    }
    Ok(names)
}

fn collection(field: &str, kind: &Part<'_>, rest: &[Part<'_>], end: usize) -> Result<Kind, Fault> {
    let example = example(kind.text);
    let Some((count, element)) = rest.split_last().filter(|(_, element)| !element.is_empty())
    else {
        return Err(Fault::new(
            &(end..end + 1),
            format!(
                "a {} says what it holds, and how many at most: write `{field}:{example}`.",
                kind.text
            ),
        ));
    };
    if !count.text.starts_with("..") {
        return Err(Fault::new(
            &(end..end + 1),
            format!(
                "a {} ends with a maximum of its own: write `{field}:{example}`.",
                kind.text
            ),
        ));
    }
    let of = Kind::read(field, element)?;
    let fits = match (&of, kind.text) {
        (Kind::Bool | Kind::RichText { .. } | Kind::Url, held) => held == "list",
        (Kind::Float { .. } | Kind::List(..) | Kind::Set(..) | Kind::Choice(_), _) => false,
        _ => true,
    };
    if !fits {
        return Err(Fault::new(
            &element[0].at,
            format!(
                "a {} does not hold a {}: write `{field}:{example}`.",
                kind.text, element[0].text
            ),
        ));
    }
    let max = maximum(field, kind.text, count)?;
    Ok(if kind.text == "list" {
        Kind::List(Box::new(of), max)
    } else {
        Kind::Set(Box::new(of), max)
    })
}
