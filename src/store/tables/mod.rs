//! One file per table: the names of its columns, and the conversion of its rows. Both stores use them; the
//! files of each store have the statements and what only its database needs.

pub(in crate::store) mod acts;
pub(in crate::store) mod attempts;
pub(in crate::store) mod audit;
pub(in crate::store) mod deliveries;
pub(in crate::store) mod lately;
pub(in crate::store) mod pauses;
pub(in crate::store) mod queue;
pub(in crate::store) mod runs;
pub(in crate::store) mod starts;

use std::borrow::Cow;
use std::fmt::Display;
use std::str::FromStr;

use jiff::Timestamp;

use crate::store::StoreFault;

/// A row of a result, read by the names of its columns. `maybe_…` gives `None` for null.
pub(in crate::store) trait Row {
    /// A text, where there is one.
    fn maybe_text(&self, column: &str) -> Result<Option<String>, StoreFault>;
    /// A whole number of any width, where there is one.
    fn maybe_integer(&self, column: &str) -> Result<Option<i64>, StoreFault>;
    /// A boolean.
    fn flag(&self, column: &str) -> Result<bool, StoreFault>;
    /// A boolean, where there is one.
    fn maybe_flag(&self, column: &str) -> Result<Option<bool>, StoreFault>;
    /// The 16 bytes of an id, where there is one.
    fn maybe_id(&self, column: &str) -> Result<Option<[u8; 16]>, StoreFault>;
    /// Bytes, where there are some.
    fn maybe_bytes(&self, column: &str) -> Result<Option<Vec<u8>>, StoreFault>;

    /// A text.
    fn text(&self, column: &str) -> Result<String, StoreFault> {
        self.maybe_text(column)?.ok_or_else(|| missing(column))
    }

    /// A whole number of any width.
    fn integer(&self, column: &str) -> Result<i64, StoreFault> {
        self.maybe_integer(column)?.ok_or_else(|| missing(column))
    }

    /// A whole number that fits the type `T`, for example one that is never negative.
    fn count<T: TryFrom<i64>>(&self, column: &str) -> Result<T, StoreFault> {
        T::try_from(self.integer(column)?)
            .map_err(|_| unreadable(column, "its number is out of range"))
    }

    /// A whole number that fits the type `T`, where there is one.
    fn maybe_count<T: TryFrom<i64>>(&self, column: &str) -> Result<Option<T>, StoreFault> {
        let number = self.maybe_integer(column)?.map(T::try_from).transpose();
        number.map_err(|_| unreadable(column, "its number is out of range"))
    }

    /// The 16 bytes of an id.
    fn id(&self, column: &str) -> Result<[u8; 16], StoreFault> {
        self.maybe_id(column)?.ok_or_else(|| missing(column))
    }

    /// A moment, stored as milliseconds since 1970.
    fn moment(&self, column: &str) -> Result<Timestamp, StoreFault> {
        moment(column, self.integer(column)?)
    }

    /// A moment, where there is one.
    fn maybe_moment(&self, column: &str) -> Result<Option<Timestamp>, StoreFault> {
        self.maybe_integer(column)?.map(|millis| moment(column, millis)).transpose()
    }

    /// A text, parsed as `T`.
    fn spelled<T: FromStr<Err: Display>>(&self, column: &str) -> Result<T, StoreFault> {
        self.text(column)?.parse().map_err(|error| unreadable(column, error))
    }
}

fn moment(column: &str, millis: i64) -> Result<Timestamp, StoreFault> {
    // What is out of range counts as the first or the last moment: one such row must not hide all others.
    let (first, last) = (Timestamp::MIN.as_second() * 1000, Timestamp::MAX.as_second() * 1000);
    Timestamp::from_millisecond(millis.clamp(first, last))
        .map_err(|error| unreadable(column, error))
}

fn missing(column: &str) -> StoreFault {
    unreadable(column, "it is empty")
}

/// The fault for a row with a value that this program cannot have written.
pub(in crate::store) fn unreadable(column: &str, error: impl Display) -> StoreFault {
    StoreFault::Unusable(format!("a kept row cannot be read (column {column}): {error}"))
}

/// A value to write, of one of the types that both databases have.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::store) enum Value<'v> {
    /// A text.
    Text(Option<Cow<'v, str>>),
    /// A whole number.
    Integer(Option<i64>),
    /// A boolean.
    Flag(bool),
    /// The 16 bytes of an id.
    Id([u8; 16]),
}

impl<'v> Value<'v> {
    /// A text.
    pub(in crate::store) fn text(text: &'v str) -> Self {
        Self::Text(Some(Cow::Borrowed(text)))
    }

    /// A text, where there is one.
    pub(in crate::store) fn maybe_text(text: Option<&'v str>) -> Self {
        Self::Text(text.map(Cow::Borrowed))
    }

    /// A moment.
    pub(in crate::store) fn moment(moment: Timestamp) -> Self {
        Self::Integer(Some(moment.as_millisecond()))
    }
}

/// A column and the value to write into it.
pub(in crate::store) type Written<'v> = (&'static str, Value<'v>);
