//! Bounded text.

use std::fmt;
use std::ops::Deref;

use super::field::{Field, text};
use super::node::Node;
use super::reader::Reader;
use crate::db::{Bind, Cell, Column, ColumnError, Kind, Value};

/// Text of `MIN` to `MAX` characters, without control characters but line breaks and tabs.
///
/// # Example
/// ```
/// use palisade::input::Text;
/// assert!(Text::<1, 5>::parse("notes").is_ok());
/// assert!(Text::<1, 5>::parse("").is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Text<const MIN: usize, const MAX: usize>(String);

/// An e-mail address of at most 254 characters; its domain in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Email(String);

/// A name for URLs: 1 to 64 of `a-z`, `0-9` and single hyphens inside.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slug(String);

/// Which rule a text breaks; never the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Broken {
    pub(super) code: &'static str,
    pub(super) detail: std::borrow::Cow<'static, str>,
}

impl Broken {
    pub(super) fn new(
        code: &'static str,
        detail: impl Into<std::borrow::Cow<'static, str>>,
    ) -> Self {
        Self {
            code,
            detail: detail.into(),
        }
    }
}

/// What every text type offers: parsing, reading, showing, binding, reading back.
macro_rules! texts {
    ($([$($generics:tt)*] $ty:ty),+ $(,)?) => {
        $(impl<$($generics)*> Field for $ty {
            fn read(node: Node, reader: &mut Reader) -> Option<Self> {
                Self::parse(text(node, reader)?).or_else(|broken| match reader.refuse(broken.code, broken.detail) {
                    Some(value) => Ok(value),
                    None => Err(()),
                }).ok()
            }
        }
        impl<$($generics)*> $ty {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
            /// The text, as a `String`.
            pub fn into_string(self) -> String {
                self.0
            }
        }
        impl<$($generics)*> Deref for $ty {
            type Target = str;
            fn deref(&self) -> &str {
                &self.0
            }
        }
        impl<$($generics)*> fmt::Display for $ty {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl<$($generics)*> From<$ty> for String {
            fn from(value: $ty) -> Self {
                value.0
            }
        }
        impl<$($generics)*> Bind for $ty {
            const NULL: Value = Value::Text(None);
            fn value(&self) -> Value {
                Value::Text(Some(self.0.clone()))
            }
        }
        // What is stored was checked when it came in; a rule that became stricter since must not lock the row away.
        impl<$($generics)*> Column for $ty {
            const KIND: Option<Kind> = Some(Kind::Text);
            fn read(cell: Cell) -> Result<Self, ColumnError> {
                String::read(cell).map(Self)
            }
        })+
    };
}
pub(super) use texts;

texts!([const MIN: usize, const MAX: usize] Text<MIN, MAX>, [] Email, [] Slug);

impl<const MIN: usize, const MAX: usize> Text<MIN, MAX> {
    const BOUNDS: () = assert!(
        MIN <= MAX && MAX > 0,
        "P0303: `Text<MIN, MAX>` wants MIN <= MAX and MAX > 0"
    );

    /// Checks the bounds.
    ///
    /// # Errors
    /// When it is too short, too long or holds a control character.
    pub fn parse(text: impl Into<String>) -> Result<Self, Broken> {
        let () = Self::BOUNDS;
        let text = text.into();
        check(&text, MIN, MAX)?;
        Ok(Self(text))
    }
}

pub(super) fn check(text: &str, min: usize, max: usize) -> Result<(), Broken> {
    // Most text is printable ASCII, which is seen many bytes at a time and has as many characters.
    let plain = text
        .bytes()
        .fold(true, |plain, byte| plain & (b' '..=b'~').contains(&byte));
    let length = match plain {
        true => text.len(),
        false => text.chars().count(),
    };
    if length < min {
        Err(Broken::new(
            "too_short",
            format!("must have at least {min} characters"),
        ))
    } else if length > max {
        Err(Broken::new(
            "too_long",
            format!("must have at most {max} characters"),
        ))
    } else if !plain
        && text
            .chars()
            .any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
    {
        Err(Broken::new(
            "control_character",
            "must not hold control characters",
        ))
    } else {
        Ok(())
    }
}

impl Email {
    /// Checks the form of the address (RFC 5321's lengths, HTML's grammar).
    ///
    /// # Errors
    /// When it is not an address.
    pub fn parse(text: impl Into<String>) -> Result<Self, Broken> {
        let text: String = text.into();
        let broken = || Broken::new("email", "must be an e-mail address");
        if text.len() > 254 || !text.is_ascii() || garde::rules::email::parse_email(&text).is_err()
        {
            return Err(broken());
        }
        let (local, domain) = text.rsplit_once('@').ok_or_else(broken)?;
        if domain.starts_with('[') || !domain.contains('.') {
            return Err(broken());
        }
        Ok(Self(format!("{local}@{}", domain.to_ascii_lowercase())))
    }
}

impl Slug {
    /// Checks the alphabet and the length.
    ///
    /// # Errors
    /// When it is not a slug.
    pub fn parse(text: impl Into<String>) -> Result<Self, Broken> {
        let text: String = text.into();
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let hyphens = text.starts_with('-') || text.ends_with('-') || text.contains("--");
        if text.is_empty() || text.len() > 64 || !text.bytes().all(allowed) || hyphens {
            return Err(Broken::new(
                "slug",
                "must be 1 to 64 of a-z, 0-9 and single hyphens",
            ));
        }
        Ok(Self(text))
    }
}
