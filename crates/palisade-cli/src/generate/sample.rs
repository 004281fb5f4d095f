//! Values for the tests of a resource, as they stand inside `json!`.

use super::field::Field;
use super::kind::Kind;

/// A value within the bounds.
pub(crate) fn first(field: &Field) -> String {
    pair(&field.kind, &field.name.replace('_', " ")).0
}

/// Another value within the bounds, where there is one.
pub(crate) fn second(field: &Field) -> String {
    pair(&field.kind, &field.name.replace('_', " ")).1
}

fn pair(kind: &Kind, name: &str) -> (String, String) {
    let both = |first: &str, second: &str| (format!("{first:?}"), format!("{second:?}"));
    match kind {
        Kind::Bool => ("true".to_owned(), "false".to_owned()),
        Kind::Choice(names) => both(&names[0], &names[1]),
        Kind::Date => both("2026-01-31", "2028-02-29"),
        Kind::Email => both("ada@example.org", "grace@example.org"),
        Kind::Float { min, max } => (format!("{min:?}"), format!("{max:?}")),
        Kind::Int { min, max } => (number(*min), number(*max)),
        Kind::List(of, _) | Kind::Set(of, _) => {
            let (first, second) = pair(of, name);
            (format!("[{first}]"), format!("[{second}]"))
        }
        Kind::RichText { max } if *max >= 20 => both("<p>one</p>", "<p>another</p>"),
        Kind::RichText { .. } => both("1", "2"),
        Kind::Slug => both("one-slug", "another-slug"),
        Kind::Text { min, max } => {
            let fits =
                |text: &str| (*min..=*max).contains(&u32::try_from(text.len()).unwrap_or(u32::MAX));
            let (first, second) = (format!("one {name}"), format!("another {name}"));
            if fits(&first) && fits(&second) {
                both(&first, &second)
            } else {
                let length = (*min).max(1);
                (repeated("a", length), repeated("b", length))
            }
        }
        Kind::Timestamp => both("2026-01-31T12:00:00Z", "2028-02-29T23:59:59Z"),
        Kind::Url => both("https://example.com/", "https://example.org/another"),
    }
}

/// Values that are refused.
pub(crate) fn broken(kind: &Kind) -> Vec<String> {
    let text = |text: &str| format!("{text:?}");
    match kind {
        Kind::Bool => vec![text("yes")],
        Kind::Choice(_) => vec![text("none of these")],
        Kind::Date => vec![text("2026-02-30"), text("tomorrow")],
        Kind::Email => vec![text("not an address")],
        Kind::Float { min, max } => [min - 1.0, max + 1.0]
            .iter()
            .filter(|value| value.is_finite() && !(*min..=*max).contains(value))
            .map(|value| format!("{value:?}"))
            .collect(),
        Kind::Int { min, max } => [min.checked_sub(1), max.checked_add(1)]
            .into_iter()
            .flatten()
            .map(number)
            .chain([text("many")])
            .collect(),
        Kind::List(of, max) => {
            let element = pair(of, "one").0;
            vec![
                format!("vec![json!({element}); {}]", max + 1),
                "[{}]".to_owned(),
            ]
        }
        Kind::Set(of, max) => {
            let element = pair(of, "one").0;
            let mut broken = vec![
                format!("vec![json!({element}); {}]", max + 1),
                "[{}]".to_owned(),
            ];
            if *max > 1 {
                broken.push(format!("[{element}, {element}]"));
            }
            broken
        }
        Kind::RichText { max } => vec![repeated("x", max + 1)],
        Kind::Slug => vec![text("Not a slug")],
        Kind::Text { min, max } => {
            let mut broken = vec![repeated("x", max + 1)];
            if *min > 0 {
                broken.insert(0, repeated("x", min - 1));
            }
            broken
        }
        Kind::Timestamp => vec![text("2026-02-30T00:00:00Z"), text("2026-01-31")],
        Kind::Url => vec![text("javascript:alert(1)"), text("not an address")],
    }
}

/// Without its type a literal is an `i32`.
fn number(number: i64) -> String {
    match i32::try_from(number) {
        Ok(number) => number.to_string(),
        Err(_) => format!("{number}_i64"),
    }
}

fn repeated(letter: &str, times: u32) -> String {
    match times {
        0..=3 => format!("{:?}", letter.repeat(times as usize)),
        _ => format!("{letter:?}.repeat({times})"),
    }
}
