//! One setting: how its text becomes a value, and what it may be.

use std::fmt;

use super::section::Section;

/// A type that can be a field of `#[settings]`.
///
/// Text, numbers, booleans, [`Duration`](std::time::Duration), [`Size`](super::Size), addresses, paths, lists and options of these,
/// [`Secret`](crate::secret::Secret) texts and [`Key`](crate::secret::key::Key)s are settings, and so is every `#[settings]` type: a table.
///
/// # Example
/// ```
/// use palisade::config::{Raw, Setting, Wrong};
///
/// #[derive(Debug, Clone)]
/// struct Color(u32);
///
/// impl Setting for Color {
///     fn read(raw: Raw<'_>) -> Result<Self, Wrong> {
///         let wrong = Wrong::new("is not a color", "write six hexadecimal digits, such as \"ff8800\"");
///         u32::from_str_radix(raw.text()?, 16).map(Color).map_err(|_| wrong)
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "P0802: `{Self}` cannot be a setting",
    label = "not a type that configuration can hold",
    note = "take `String`, `bool`, a number, `Duration`, `Size`, `PathBuf`, `Secret<String>`, `Key`, a `Vec` or `Option` of these, or another `#[settings]` type",
    note = "`palisade explain P0802` tells why"
)]
pub trait Setting: Sized + Clone + fmt::Debug + Send + Sync + 'static {
    /// Whether it is refused from `palisade.toml` and kept out of everything that prints.
    const SECRET: bool = false;

    #[doc(hidden)]
    const SHAPE: Shape = Shape::Value {
        secret: Self::SECRET,
    };

    /// The value, or what is wrong with what was written.
    ///
    /// # Errors
    /// [`Wrong`] in fixed words, so that no value gets into a refusal.
    fn read(raw: Raw<'_>) -> Result<Self, Wrong>;

    #[doc(hidden)]
    fn take(section: &mut Section<'_>, member: &Member) -> Option<Self> {
        section.value(member)
    }
}

/// The settings of an app: a struct under `#[settings]`, read from the table `[app]` and the variables `PALISADE_APP__…`.
///
/// `()` is the settings of an app that has none.
#[diagnostic::on_unimplemented(
    message = "P0801: `{Self}` is not a `#[settings]` type",
    label = "configuration cannot be read into this",
    note = "write `#[palisade::settings]` above the struct, or take `()` for an app without settings of its own",
    note = "`palisade explain P0801` tells why"
)]
pub trait Settings: Setting {
    #[doc(hidden)]
    const MEMBERS: &'static [Member];

    #[doc(hidden)]
    fn gather(section: &mut Section<'_>) -> Option<Self>;
}

impl Settings for () {
    const MEMBERS: &'static [Member] = &[];

    fn gather(_: &mut Section<'_>) -> Option<Self> {
        Some(())
    }
}

impl Setting for () {
    const SHAPE: Shape = Shape::Table(&[]);

    fn read(_: Raw<'_>) -> Result<Self, Wrong> {
        Ok(())
    }
}

/// What was written: text from a variable, or a value of `palisade.toml`.
///
/// Deliberately without `Debug`: it may be a secret.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Raw<'a> {
    /// Text: each variable, and each string of the file.
    Text(&'a str),
    /// A whole number of the file.
    Integer(i64),
    /// Another number of the file.
    Float(f64),
    /// `true` or `false` of the file.
    Boolean(bool),
    /// A list of the file.
    List(&'a [figment::value::Value]),
    /// A table of the file.
    Table,
}

impl<'a> Raw<'a> {
    /// The text.
    ///
    /// # Errors
    /// When it is a number, a list or the like.
    pub fn text(self) -> Result<&'a str, Wrong> {
        match self {
            Self::Text(text) => Ok(text),
            _ => Err(Wrong::new("is not text", "put it into quotes")),
        }
    }

    pub(super) fn of(value: &'a figment::value::Value) -> Self {
        use figment::value::Value;
        match value {
            Value::String(_, text) => Self::Text(text),
            Value::Bool(_, value) => Self::Boolean(*value),
            Value::Array(_, list) => Self::List(list),
            Value::Num(_, figment::value::Num::F64(number)) => Self::Float(*number),
            Value::Num(_, number) => number
                .to_i128()
                .and_then(|number| i64::try_from(number).ok())
                .map_or(Self::Table, Self::Integer),
            _ => Self::Table,
        }
    }
}

/// What is wrong with a value, and what to write instead: fixed words, never the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    pub(super) what: &'static str,
    pub(super) fix: &'static str,
}

impl Wrong {
    /// `what` follows the setting's name ("is not a color"), `fix` is an instruction.
    #[must_use]
    pub const fn new(what: &'static str, fix: &'static str) -> Self {
        Self { what, fix }
    }
}

#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    Value { secret: bool },
    Table(&'static [Member]),
}

#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Member {
    pub name: &'static str,
    pub shape: Shape,
    pub default: Option<&'static str>,
    pub lowest: Option<&'static str>,
    pub highest: Option<&'static str>,
}

impl Member {
    #[must_use]
    pub const fn new(name: &'static str, shape: Shape) -> Self {
        Self {
            name,
            shape,
            default: None,
            lowest: None,
            highest: None,
        }
    }

    #[must_use]
    pub const fn default(mut self, text: &'static str) -> Self {
        self.default = Some(text);
        self
    }

    #[must_use]
    pub const fn lowest(mut self, text: &'static str) -> Self {
        self.lowest = Some(text);
        self
    }

    #[must_use]
    pub const fn highest(mut self, text: &'static str) -> Self {
        self.highest = Some(text);
        self
    }

    pub(super) fn limits(&self) -> String {
        match (self.lowest, self.highest) {
            (Some(low), Some(high)) => format!("from {low} to {high}"),
            (Some(low), None) => format!("{low} or more"),
            (None, Some(high)) => format!("{high} or less"),
            (None, None) => String::new(),
        }
    }
}
