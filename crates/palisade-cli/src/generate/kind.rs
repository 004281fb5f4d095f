//! The kinds of fields: what each is in an input, in a row, in a table and in a test.

mod read;

use heck::ToUpperCamelCase as _;

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
