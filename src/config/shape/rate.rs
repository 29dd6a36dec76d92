//! `rate`: the largest number of deliveries in a length of time.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// A number of deliveries in a length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many deliveries may come in that time, even all at once. At least 1.
    pub number: u32,
    /// The length of time.
    pub per: Duration,
}

const UNITS: [(&str, u64); 4] = [("s", 1), ("m", 60), ("h", 60 * 60), ("d", 24 * 60 * 60)];
/// The largest number in a rate. It is more than any store can take, and small enough that the
/// interval between two deliveries is never rounded to zero.
const MOST: u32 = 1_000_000;

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fault = || {
            format!(
                "`{text}` is not a rate\nwrite a whole number from 1 to {MOST}, a slash and a unit: 10/s, 60/m, 1000/h or 5000/d"
            )
        };
        let (number, unit) = text.split_once('/').ok_or_else(fault)?;
        let digits = number.bytes().all(|byte| byte.is_ascii_digit());
        let number: u32 = digits.then(|| number.parse().ok()).flatten().ok_or_else(fault)?;
        let (_, seconds) = UNITS.into_iter().find(|(name, _)| *name == unit).ok_or_else(fault)?;
        let good = (1..=MOST).contains(&number);
        good.then_some(Self { number, per: Duration::from_secs(seconds) }).ok_or_else(fault)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.per.as_secs();
        let unit = UNITS.iter().find(|(_, unit)| *unit == seconds).map_or("?", |(name, _)| name);
        write!(f, "{}/{unit}", self.number)
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for Rate {
    fn schema_name() -> Cow<'static, str> {
        "Rate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A rate: a whole number, a slash and `s`, `m`, `h` or `d`.",
            "type": "string",
            "pattern": "^[1-9][0-9]{0,6}/[smhd]$",
            "examples": ["10/s", "60/m"]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_read_and_write_alike() {
        for text in ["10/s", "60/m", "1000/h", "1/d"] {
            assert_eq!(text.parse::<Rate>().map(|rate| rate.to_string()), Ok(text.to_owned()));
        }
        for text in [
            "",
            "10",
            "0/s",
            "/s",
            "10/",
            "10/w",
            "-1/s",
            "+1/s",
            "1.5/s",
            "10 / s",
            "1000001/s",
            "99999999999/s",
        ] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }
}
