//! Reads a kind, and says what is wrong with it and where.

use heck::{ToSnakeCase as _, ToUpperCamelCase as _};

use super::{KINDS, Kind, example, names};
use crate::generate::field::{Fault, Part};
use crate::generate::words::not_snake;

/// Elements and letters at most; more does not fit into a body anyway.
const MOST: u32 = 1_000_000;

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
