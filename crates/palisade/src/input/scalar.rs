//! Bounded numbers, points in time, dates and addresses.

use std::fmt;
use std::ops::Deref;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::field::{Field, integer, text};
use super::node::Node;
use super::reader::Reader;
use super::text::{Broken, texts};
use crate::db::{Bind, Cell, Column, ColumnError, Kind, Value, scalars};

/// An integer from `MIN` to `MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Int<const MIN: i64, const MAX: i64>(i64);

impl<const MIN: i64, const MAX: i64> Int<MIN, MAX> {
    const BOUNDS: () = assert!(MIN <= MAX, "P0303: `Int<MIN, MAX>` wants MIN <= MAX");

    /// The number, when it is within the bounds.
    pub fn new(number: i64) -> Option<Self> {
        let () = Self::BOUNDS;
        (MIN..=MAX).contains(&number).then_some(Self(number))
    }

    /// The number.
    pub fn get(self) -> i64 {
        self.0
    }
}

impl<const MIN: i64, const MAX: i64> Field for Int<MIN, MAX> {
    fn read(node: Node, reader: &mut Reader) -> Option<Self> {
        Self::new(integer(node, reader)?)
            .or_else(|| reader.refuse("range", format!("must be {MIN} to {MAX}")))
    }
}

impl<const MIN: i64, const MAX: i64> Bind for Int<MIN, MAX> {
    const NULL: Value = Value::Int(None);
    fn value(&self) -> Value {
        Value::Int(Some(self.0))
    }
}

impl<const MIN: i64, const MAX: i64> Column for Int<MIN, MAX> {
    const KIND: Option<Kind> = Some(Kind::Int);
    fn read(cell: Cell) -> Result<Self, ColumnError> {
        i64::read(cell).map(Self)
    }
}

/// A point in time, in UTC, to the microsecond; RFC 3339 on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(OffsetDateTime);

impl Timestamp {
    /// This very moment.
    pub fn now() -> Self {
        Self::from(OffsetDateTime::now_utc())
    }

    /// The moment.
    pub fn get(self) -> OffsetDateTime {
        self.0
    }
}

impl From<OffsetDateTime> for Timestamp {
    fn from(moment: OffsetDateTime) -> Self {
        let moment = moment.to_offset(time::UtcOffset::UTC);
        Self(
            moment
                .replace_microsecond(moment.microsecond())
                .unwrap_or(moment),
        )
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.format(&Rfc3339).map_err(|_| fmt::Error)?)
    }
}

impl Field for Timestamp {
    fn read(node: Node, reader: &mut Reader) -> Option<Self> {
        let text = text(node, reader)?;
        let moment = OffsetDateTime::parse(&text, &Rfc3339)
            .ok()
            .filter(|moment| (1..=9998).contains(&moment.year()));
        moment.map(Self::from).or_else(|| {
            reader.refuse(
                "timestamp",
                "must be a point in time such as 2026-01-31T12:00:00Z",
            )
        })
    }
}

impl Bind for Timestamp {
    const NULL: Value = Value::Time(None);
    fn value(&self) -> Value {
        Value::Time(Some(self.0))
    }
}

impl Column for Timestamp {
    const KIND: Option<Kind> = Some(Kind::Time);
    fn read(cell: Cell) -> Result<Self, ColumnError> {
        OffsetDateTime::read(cell).map(Self::from)
    }
}

/// A day of the calendar; `YYYY-MM-DD` on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Date(time::Date);

impl Date {
    /// The day.
    pub fn get(self) -> time::Date {
        self.0
    }
}

impl From<time::Date> for Date {
    fn from(day: time::Date) -> Self {
        Self(day)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:04}-{:02}-{:02}",
            self.0.year(),
            u8::from(self.0.month()),
            self.0.day()
        )
    }
}

impl Field for Date {
    fn read(node: Node, reader: &mut Reader) -> Option<Self> {
        let text = text(node, reader)?;
        let day = time::Date::read(Cell::Text(text))
            .ok()
            .filter(|day| (1..=9998).contains(&day.year()));
        day.map(Self)
            .or_else(|| reader.refuse("date", "must be a day such as 2026-01-31"))
    }
}

impl Bind for Date {
    const NULL: Value = Value::Date(None);
    fn value(&self) -> Value {
        Value::Date(Some(self.0))
    }
}

impl Column for Date {
    const KIND: Option<Kind> = Some(Kind::Date);
    fn read(cell: Cell) -> Result<Self, ColumnError> {
        time::Date::read(cell).map(Self)
    }
}

/// An http or https address of at most 2048 characters, without a user or password in it.
///
/// # Security
/// Its form is checked, not where it leads: do not fetch it with a plain HTTP client.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Url(String);

texts!([] Url);
scalars!([] Timestamp, [] Date);

impl Url {
    /// Checks and normalizes the address.
    ///
    /// # Errors
    /// When it is not an http or https address.
    pub fn parse(text: impl Into<String>) -> Result<Self, Broken> {
        let broken = || Broken::new("url", "must be an http or https address");
        let text: String = text.into();
        if text.len() > 2048 {
            return Err(Broken::new("too_long", "must have at most 2048 characters"));
        }
        let url = url::Url::parse(&text).map_err(|_| broken())?;
        let plain = url.username().is_empty() && url.password().is_none();
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() || !plain {
            return Err(broken());
        }
        Ok(Self(url.into()))
    }
}
