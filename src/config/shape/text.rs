//! Values that are written as one word: lengths of time, sizes and header names.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use http::HeaderName;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub(in crate::config) struct Period(pub(in crate::config) Duration);

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub(in crate::config) struct Size(pub(in crate::config) u64);

/// The name of a header.
#[derive(Clone, Debug)]
pub(in crate::config) struct Header(pub(in crate::config) HeaderName);

const DAY: u64 = 24 * 60 * 60;
const PERIODS: [(&str, u64); 4] = [("d", DAY), ("h", 60 * 60), ("m", 60), ("s", 1)];
const SIZES: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];
/// The longest accepted length of time, in seconds.
const LONGEST: u64 = 100 * 365 * DAY;

impl Period {
    pub(in crate::config) const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    pub(in crate::config) const fn days(days: u64) -> Self {
        Self::seconds(days * DAY)
    }
}

impl Size {
    pub(in crate::config) const fn mebibytes(number: u64) -> Self {
        Self(number << 20)
    }
}

impl FromStr for Period {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fault = || {
            format!(
                "`{text}` is not a length of time\nwrite a whole number and a unit, such as 30s, 5m, 2h or 30d"
            )
        };
        if let Some(millis) = text.strip_suffix("ms") {
            let millis = millis.parse().map_err(|_| fault())?;
            return bounded(Duration::from_millis(millis)).ok_or_else(fault);
        }
        let (number, unit) = number_and_unit(text, &PERIODS).ok_or_else(fault)?;
        let seconds = number.checked_mul(unit).ok_or_else(fault)?;
        bounded(Duration::from_secs(seconds)).ok_or_else(fault)
    }
}

fn bounded(period: Duration) -> Option<Period> {
    (period <= Duration::from_secs(LONGEST)).then_some(Period(period))
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fault = || {
            format!(
                "`{text}` is not a size\nwrite a whole number of bytes, or one with a unit: 64KiB, 25MiB, 2GiB"
            )
        };
        if let Ok(bytes) = text.parse() {
            return Ok(Self(bytes));
        }
        let (number, unit) = number_and_unit(text, &SIZES).ok_or_else(fault)?;
        number.checked_mul(unit).filter(|bytes| *bytes <= 1 << 60).map(Self).ok_or_else(fault)
    }
}

fn number_and_unit(text: &str, units: &[(&str, u64)]) -> Option<(u64, u64)> {
    units.iter().find_map(|(name, unit)| {
        let number = text.strip_suffix(name)?.trim_end();
        let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| number.parse().ok()).flatten().map(|number| (number, *unit))
    })
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.subsec_millis() > 0 {
            return write!(f, "{}ms", self.0.as_millis());
        }
        write_largest(f, self.0.as_secs(), &PERIODS)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_largest(f, self.0, &SIZES)
    }
}

/// Writes a number in the largest unit that gives a whole number. Exactly one day is written as
/// `24h`.
fn write_largest(f: &mut fmt::Formatter<'_>, number: u64, units: &[(&str, u64)]) -> fmt::Result {
    let fits =
        |unit: u64| number != 0 && number.is_multiple_of(unit) && (unit != DAY || number > DAY);
    let (name, unit) =
        units.iter().copied().find(|(_, unit)| fits(*unit)).unwrap_or(units[units.len() - 1]);
    write!(f, "{}{name}", number / unit)
}

impl FromStr for Header {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        HeaderName::try_from(text).map(Self).map_err(|_| {
            format!("`{text}` is not the name of a header\nwrite a name such as X-Signature")
        })
    }
}

macro_rules! from_text {
    ($name:ident) => {
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(D::Error::custom)
            }
        }
    };
}

macro_rules! to_text {
    ($name:ident) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}

from_text!(Period);
from_text!(Size);
from_text!(Header);
to_text!(Period);
to_text!(Size);

impl JsonSchema for Period {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A length of time: a whole number and a unit, `ms`, `s`, `m`, `h` or `d`.",
            "type": "string",
            "pattern": "^[0-9]+ ?(ms|s|m|h|d)$",
            "examples": ["30s", "5m", "2h", "30d"]
        })
    }
}

impl JsonSchema for Size {
    fn schema_name() -> Cow<'static, str> {
        "Size".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A number of bytes, plain or with a unit: `B`, `KiB`, `MiB` or `GiB`.",
            "type": ["string", "integer"],
            "pattern": "^[0-9]+ ?(B|KiB|MiB|GiB)?$",
            "minimum": 0,
            "examples": ["64KiB", "25MiB", 4096]
        })
    }
}

impl JsonSchema for Header {
    fn schema_name() -> Cow<'static, str> {
        "Header".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "The name of an HTTP header, in upper or lower case.",
            "type": "string",
            "pattern": "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$",
            "examples": ["X-Signature"]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_read_and_write_alike() {
        for text in ["30s", "5m", "24h", "30d", "250ms"] {
            assert_eq!(
                text.parse::<Period>().map(|period| period.to_string()),
                Ok(text.to_owned())
            );
        }
        for text in
            ["", "30", "s", "-1s", "1.5h", "1h30m", "30 sec", "99999999999999999999d", "40000d"]
        {
            assert!(text.parse::<Period>().is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_read_and_write_alike() {
        for text in ["64KiB", "25MiB", "20GiB", "7B"] {
            assert_eq!(text.parse::<Size>().map(|size| size.to_string()), Ok(text.to_owned()));
        }
        assert_eq!("4096".parse(), Ok(Size(4096)));
        for text in ["", "MiB", "25MB", "1.5GiB", "-1", "99999999999999999999GiB"] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }
}
