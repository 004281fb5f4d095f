//! `range` and `length`: the limits that a setting declares.

use std::fmt;

use super::section::Section;
use super::setting::{Member, Raw, Setting, Shape};
use crate::secret::Secret;

/// A setting that has an order, so that `range` can limit it.
#[diagnostic::on_unimplemented(
    message = "P0804: `{Self}` has no order, so `range` cannot limit it",
    label = "not a number, `Duration` or `Size`",
    note = "for text and lists write `#[setting(length = 1..=80)]`",
    note = "`palisade explain P0804` tells why"
)]
pub trait Ranged: Setting {
    #[doc(hidden)]
    fn outside(&self, lowest: Option<&str>, highest: Option<&str>) -> bool;
}

macro_rules! ranged {
    ($($type:ty),*) => {$(
        impl Ranged for $type {
            fn outside(&self, lowest: Option<&str>, highest: Option<&str>) -> bool {
                let bound = |text: &str| Self::read(Raw::Text(text)).ok();
                // A bound that cannot be read admits nothing: the mistake shows at the first start.
                lowest.is_some_and(|text| bound(text).is_none_or(|low| *self < low))
                    || highest.is_some_and(|text| bound(text).is_none_or(|high| *self > high))
            }
        }
    )*};
}

ranged!(
    u8,
    u16,
    u32,
    u64,
    usize,
    i8,
    i16,
    i32,
    i64,
    isize,
    f32,
    f64,
    std::time::Duration,
    super::Size
);

impl<T: Ranged> Ranged for Option<T> {
    fn outside(&self, lowest: Option<&str>, highest: Option<&str>) -> bool {
        self.as_ref()
            .is_some_and(|value| value.outside(lowest, highest))
    }
}

/// A setting that has a length, so that `length` can limit it: characters of text, items of a list.
#[diagnostic::on_unimplemented(
    message = "P0804: `{Self}` has no length, so `length` cannot limit it",
    label = "not text or a list",
    note = "for numbers, `Duration` and `Size` write `#[setting(range = 1..=80)]`",
    note = "`palisade explain P0804` tells why"
)]
pub trait Measured: Setting {
    #[doc(hidden)]
    fn length(&self) -> Option<usize>;
}

impl Measured for String {
    fn length(&self) -> Option<usize> {
        Some(self.chars().count())
    }
}

impl Measured for Secret<String> {
    fn length(&self) -> Option<usize> {
        Some(self.expose().chars().count())
    }
}

impl<T: Setting> Measured for Vec<T> {
    fn length(&self) -> Option<usize> {
        Some(self.len())
    }
}

impl<T: Measured> Measured for Option<T> {
    fn length(&self) -> Option<usize> {
        self.as_ref()?.length()
    }
}

/// What an expansion knows of a field's type, asked once.
#[doc(hidden)]
pub struct Witness<T> {
    pub shape: Shape,
    pub take: fn(&mut Section<'_>, &Member) -> Option<T>,
    pub clone: fn(&T) -> T,
    pub debug: fn(&T) -> &dyn fmt::Debug,
}

#[doc(hidden)]
#[must_use]
pub const fn plain<T: Setting>() -> Witness<T> {
    Witness {
        shape: T::SHAPE,
        take: T::take,
        clone: T::clone,
        debug: |value| value,
    }
}

#[doc(hidden)]
#[must_use]
pub const fn ranged<T: Ranged>() -> Witness<T> {
    Witness {
        take: |section, member| {
            let value = T::take(section, member)?;
            if value.outside(member.lowest, member.highest) {
                section.refuse(
                    member,
                    "is out of range",
                    &format!("write a value {}", member.limits()),
                );
                return None;
            }
            Some(value)
        },
        ..plain()
    }
}

#[doc(hidden)]
#[must_use]
pub const fn measured<T: Measured>() -> Witness<T> {
    Witness {
        take: |section, member| {
            let value = T::take(section, member)?;
            let bound = |text: Option<&str>| text.and_then(|text| text.parse::<usize>().ok());
            let Some(length) = value.length() else {
                return Some(value);
            };
            if bound(member.lowest).is_some_and(|low| length < low)
                || bound(member.highest).is_some_and(|high| length > high)
            {
                let fix = format!("make its length {}", member.limits());
                section.refuse(member, "is too short or too long", &fix);
                return None;
            }
            Some(value)
        },
        ..plain()
    }
}
