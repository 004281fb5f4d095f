//! What a setting can be: each type and how its text is read.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::section::Section;
use super::setting::{Member, Raw, Setting, Shape, Wrong};
use crate::secret::Secret;
use crate::secret::key::{DEVELOPMENT_MARK, Key, WeakKey};

/// A number of bytes, written as `512 B`, `64 KiB`, `10 MB` or a bare number.
///
/// # Example
/// ```
/// use palisade::config::Size;
/// assert_eq!(Size::parse("64 KiB"), Some(Size::of(65_536)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(u64);

impl Size {
    /// That many bytes.
    #[must_use]
    pub const fn of(bytes: u64) -> Self {
        Self(bytes)
    }

    /// The size in bytes.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        self.0
    }

    /// Reads a number and its unit (`B`, `KB`, `MB`, `GB`, `KiB`, `MiB`, `GiB`).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (number, unit) = number_and_unit(text)?;
        let factor = match unit {
            "" | "B" => 1,
            "KB" | "kB" => 1_000,
            "MB" => 1_000_000,
            "GB" => 1_000_000_000,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            _ => return None,
        };
        number.checked_mul(factor).map(Self)
    }
}

fn number_and_unit(text: &str) -> Option<(u64, &str)> {
    let text = text.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    Some((text[..end].parse().ok()?, text[end..].trim_start()))
}

impl Setting for Size {
    fn read(raw: Raw<'_>) -> Result<Self, Wrong> {
        let size = match raw {
            Raw::Integer(number) => u64::try_from(number).ok().map(Self),
            raw => raw.text().ok().and_then(Self::parse),
        };
        size.ok_or(Wrong::new(
            "is not a size",
            "write a number and its unit, such as \"64 KiB\"",
        ))
    }
}

/// How often something may happen: so many times within a second, a minute, an hour or a day.
///
/// All of them may happen at once; then they come back evenly over the time (GCRA).
///
/// # Example
/// ```
/// use palisade::config::Rate;
/// let rate = Rate::parse("30/min").unwrap();
/// assert_eq!((rate.count(), rate.window().as_secs()), (30, 60));
/// assert!(Rate::parse("0/min").is_none());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    count: std::num::NonZeroU32,
    window: Duration,
}

impl Rate {
    /// Reads a count of 1 to a billion and its time: `5/s`, `30/min`, `100/h`, `1000/day`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (count, unit) = text.trim().split_once('/')?;
        let seconds = match unit {
            "s" => 1,
            "min" => 60,
            "h" => 3_600,
            "day" => 86_400,
            _ => return None,
        };
        let count = count.parse().ok()?;
        (count <= std::num::NonZeroU32::new(1_000_000_000)?).then_some(Self {
            count,
            window: Duration::from_secs(seconds),
        })
    }

    /// How many times.
    #[must_use]
    pub const fn count(self) -> u32 {
        self.count.get()
    }

    /// Within which time.
    #[must_use]
    pub const fn window(self) -> Duration {
        self.window
    }
}

impl Setting for Rate {
    fn read(raw: Raw<'_>) -> Result<Self, Wrong> {
        let rate = raw.text().ok().and_then(Self::parse);
        rate.ok_or(Wrong::new(
            "is not a rate",
            "write a number and a time (s, min, h, day), such as \"30/min\"",
        ))
    }
}

impl Setting for Duration {
    fn read(raw: Raw<'_>) -> Result<Self, Wrong> {
        let wrong = Wrong::new(
            "is not a duration",
            "write a whole number and its unit (ms, s, m, h, d), such as \"15m\"",
        );
        let (number, unit) = raw
            .text()
            .ok()
            .and_then(number_and_unit)
            .ok_or(wrong.clone())?;
        let factor = match unit {
            "ms" => return Ok(Self::from_millis(number)),
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            _ => return Err(wrong),
        };
        number.checked_mul(factor).map(Self::from_secs).ok_or(wrong)
    }
}

impl Setting for String {
    fn read(raw: Raw<'_>) -> Result<Self, Wrong> {
        raw.text().map(str::to_owned)
    }
}

impl Setting for PathBuf {
    fn read(raw: Raw<'_>) -> Result<Self, Wrong> {
        raw.text().map(Self::from)
    }
}

impl Setting for bool {
    fn read(raw: Raw<'_>) -> Result<Self, Wrong> {
        match raw {
            Raw::Boolean(value) => Ok(value),
            Raw::Text("true") => Ok(true),
            Raw::Text("false") => Ok(false),
            _ => Err(Wrong::new(
                "is neither true nor false",
                "write true or false",
            )),
        }
    }
}

macro_rules! integers {
    ($($type:ty),*) => {$(
        impl Setting for $type {
            fn read(raw: Raw<'_>) -> Result<Self, Wrong> {
                let number = match raw {
                    Raw::Integer(number) => i128::from(number),
                    raw => raw.text().ok().and_then(|text| text.trim().parse::<i128>().ok())
                        .ok_or(Wrong::new("is not a whole number", "write a whole number"))?,
                };
                Self::try_from(number).map_err(|_| Wrong::new("is out of range", "write a whole number"))
            }
        }
    )*};
}

integers!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize);

macro_rules! floats {
    ($($type:ty),*) => {$(
        impl Setting for $type {
            fn read(raw: Raw<'_>) -> Result<Self, Wrong> {
                let number = match raw {
                    Raw::Integer(number) => Some(number as Self),
                    Raw::Float(number) => Some(number as Self),
                    raw => raw.text().ok().and_then(|text| text.trim().parse().ok()),
                };
                number.filter(|number| number.is_finite())
                    .ok_or(Wrong::new("is not a number", "write a number, such as 0.5"))
            }
        }
    )*};
}

floats!(f32, f64);

impl Setting for IpAddr {
    fn read(raw: Raw<'_>) -> Result<Self, Wrong> {
        let address = raw.text().ok().and_then(|text| text.trim().parse().ok());
        address.ok_or(Wrong::new(
            "is not an IP address",
            "write an address without a port: 127.0.0.1 for this machine alone, 0.0.0.0 for every interface",
        ))
    }
}

impl<T: Setting> Setting for Vec<T> {
    const SECRET: bool = T::SECRET;

    /// A list of the file, or text separated by commas.
    fn read(raw: Raw<'_>) -> Result<Self, Wrong> {
        match raw {
            Raw::List(list) => list.iter().map(|item| T::read(Raw::of(item))).collect(),
            Raw::Text(text) => text
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty())
                .map(|item| T::read(Raw::Text(item)))
                .collect(),
            _ => Err(Wrong::new(
                "is not a list",
                "write a list, such as [\"a\", \"b\"]",
            )),
        }
    }
}

impl<T: Setting> Setting for Option<T> {
    const SECRET: bool = T::SECRET;
    const SHAPE: Shape = T::SHAPE;

    fn read(raw: Raw<'_>) -> Result<Self, Wrong> {
        T::read(raw).map(Some)
    }

    fn take(section: &mut Section<'_>, member: &Member) -> Option<Self> {
        match section.has(member.name) {
            true => T::take(section, member).map(Some),
            false => Some(None),
        }
    }
}

/// Passwords that the first minute of an attack tries, and the ones that templates hold.
const WELL_KNOWN: &[&str] = &[
    "changeme",
    "change-me",
    "change_me",
    "changethis",
    "replaceme",
    "secret",
    "supersecret",
    "topsecret",
    "password",
    "password1",
    "passw0rd",
    "postgres",
    "example",
    "default",
    "12345678",
    "123456789",
    "qwertyuiop",
    "your-secret",
    "your-api-key",
    "yourpassword",
    "placeholder",
    "development",
    "testtest",
    "administrator",
    "letmein1",
    "xxxxxxxx",
];

/// Whether a secret is one that everybody tries.
pub(super) fn is_well_known(text: &str) -> bool {
    let lower = text.to_lowercase();
    WELL_KNOWN.contains(&lower.as_str())
        || lower.bytes().all(|byte| Some(byte) == lower.bytes().next())
}

impl Setting for Secret<String> {
    const SECRET: bool = true;

    fn read(raw: Raw<'_>) -> Result<Self, Wrong> {
        let text = raw.text()?;
        let fix = "set the real one, of 8 characters or more";
        match text {
            _ if is_well_known(text) => Err(Wrong::new("is a secret that everybody knows", fix)),
            _ if text.chars().count() < 8 => Err(Wrong::new("is shorter than 8 characters", fix)),
            _ => Ok(text.into()),
        }
    }

    fn take(section: &mut Section<'_>, member: &Member) -> Option<Self> {
        let secret: Self = section.value(member)?;
        not_of_development(
            secret.expose().starts_with(DEVELOPMENT_MARK),
            section,
            member,
        )?;
        Some(secret)
    }
}

impl Setting for Key {
    const SECRET: bool = true;

    fn read(raw: Raw<'_>) -> Result<Self, Wrong> {
        Self::parse(raw.text()?.trim()).map_err(|weak| {
            let what = match weak {
                WeakKey::Short => "is shorter than 32 bytes",
                WeakKey::NotEncoded => "is neither hexadecimal nor base64",
                WeakKey::WellKnown => "is well known, or holds a well-known word",
                WeakKey::Repeated => "repeats itself",
                WeakKey::Sequential => "is a sequence",
                WeakKey::LowEntropy => "is not random enough",
            };
            Wrong::new(what, "take the output of `openssl rand -base64 32`")
        })
    }

    fn take(section: &mut Section<'_>, member: &Member) -> Option<Self> {
        let key: Self = section.value(member)?;
        not_of_development(key.is_for_development(), section, member)?;
        Some(key)
    }
}

fn not_of_development(marked: bool, section: &mut Section<'_>, member: &Member) -> Option<()> {
    if marked && section.is_production() {
        section.refuse(
            member,
            "is a development secret, and this is production",
            "take a new one for production, such as the output of `openssl rand -base64 32`",
        );
        return None;
    }
    Some(())
}
