//! The time window in which a signed timestamp is accepted. Without it, a recorded request could be replayed
//! for ever.
//!
//! Only a timestamp that the signature covers is worth checking. Mechanisms check the signature before the
//! window, so a timestamp outside of it means a wrong clock or a replay, not a forgery.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use http::HeaderName;
use jiff::Timestamp;

use crate::authenticate::Refusal;

/// How far a signed timestamp may be in the past or in the future, unless a source sets another tolerance:
/// five minutes, as in the reference libraries of Standard Webhooks.
pub const DEFAULT_TOLERANCE: Duration = Duration::from_secs(300);

/// The unit of a timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Seconds since 1970.
    Seconds,
    /// Milliseconds since 1970.
    Milliseconds,
    /// A date and time as text (ISO 8601), or seconds since 1970.
    DateOrSeconds,
}

impl Unit {
    /// Its name in a configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Milliseconds => "milliseconds",
            Self::DateOrSeconds => "date or seconds",
        }
    }

    /// Writes a time in this unit.
    pub fn write(self, time: Timestamp) -> String {
        match self {
            Self::Seconds => time.as_second().to_string(),
            Self::Milliseconds => time.as_millisecond().to_string(),
            Self::DateOrSeconds => format!("{time:.0}"),
        }
    }

    fn read(self, number: i64) -> Option<Timestamp> {
        match self {
            Self::Seconds | Self::DateOrSeconds => Timestamp::from_second(number).ok(),
            Self::Milliseconds => Timestamp::from_millisecond(number).ok(),
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Unit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Seconds, Self::Milliseconds]
            .into_iter()
            .find(|unit| unit.as_str() == text)
            .ok_or_else(|| format!("`{text}` is not a unit of time; use seconds or milliseconds"))
    }
}

/// The fault of a time in milliseconds where seconds are wanted. It follows "is not".
pub const MILLISECONDS: &str = "in seconds since 1970: it looks like milliseconds";
/// The fault of a time in seconds where milliseconds are wanted. It follows "is not".
pub const SECONDS: &str = "in milliseconds since 1970: it looks like seconds";

/// Parses a timestamp. The result is not yet trusted.
///
/// A mechanism may call this before it checks the signature: an unreadable time often explains why the
/// signature would not match, and is then the fault to report.
///
/// # Errors
/// [`Refusal::MalformedTime`]: the form that the header should have, and what it looks like instead.
pub fn readable(header: &HeaderName, text: &str, unit: Unit) -> Result<Timestamp, Refusal> {
    read(text, unit).ok_or_else(|| malformed(header, instead_of(text, unit)))
}

fn malformed(header: &HeaderName, expected: &'static str) -> Refusal {
    Refusal::MalformedTime { header: header.clone(), expected }
}

fn instead_of(text: &str, unit: Unit) -> &'static str {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match unit {
        Unit::Seconds if digits && read(text, Unit::Milliseconds).is_some() => MILLISECONDS,
        Unit::Seconds if digits => "in seconds since 1970: it is too large",
        Unit::Seconds => "a number: whole seconds since 1970 are wanted",
        Unit::Milliseconds if digits => "in milliseconds since 1970: it is too large",
        Unit::Milliseconds => "a number: whole milliseconds since 1970 are wanted",
        Unit::DateOrSeconds => "a date: one such as 2026-03-01T12:00:00Z is wanted",
    }
}

/// Checks that a timestamp is within `tolerance` of `now`.
///
/// # Errors
/// Where it cannot be parsed, is in another unit, or is too far from `now`.
pub fn check(
    header: &HeaderName,
    text: &str,
    unit: Unit,
    tolerance: Duration,
    now: Timestamp,
) -> Result<(), Refusal> {
    let signed = readable(header, text, unit)?;
    let age = now.duration_since(signed);
    let off = age.unsigned_abs();
    if off <= tolerance {
        Ok(())
    } else if unit == Unit::Milliseconds && is_now(read(text, Unit::Seconds), tolerance, now) {
        Err(malformed(header, SECONDS))
    } else if age.is_positive() {
        Err(Refusal::Stale { off, tolerance })
    } else {
        Err(Refusal::Future { off, tolerance })
    }
}

fn is_now(time: Option<Timestamp>, tolerance: Duration, now: Timestamp) -> bool {
    time.is_some_and(|time| now.duration_since(time).unsigned_abs() <= tolerance)
}

fn read(text: &str, unit: Unit) -> Option<Timestamp> {
    if unit == Unit::DateOrSeconds && text.contains('T') {
        return text.parse().ok();
    }
    // A number parser would take a sign, but no sender writes one.
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten().and_then(|number| unit.read(number))
}

#[cfg(test)]
mod tests {
    use http::header::DATE;

    use super::*;

    fn judge(text: &str, unit: Unit) -> Result<(), &'static str> {
        let now = Timestamp::from_second(1_700_000_000).expect("in range");
        check(&DATE, text, unit, DEFAULT_TOLERANCE, now).map_err(|refusal| refusal.reason())
    }

    #[test]
    fn the_window_is_closed_on_both_sides() {
        for (text, verdict) in [
            ("1699999700", Ok(())),
            ("1700000300", Ok(())),
            ("1699999699", Err("stale_timestamp")),
            ("1700000301", Err("future_timestamp")),
        ] {
            assert_eq!(judge(text, Unit::Seconds), verdict, "{text}");
        }
        assert_eq!(judge("1700000300001", Unit::Milliseconds), Err("future_timestamp"));
    }

    #[test]
    fn a_time_in_another_unit_is_said_to_look_like_it() {
        let now = Timestamp::from_second(1_700_000_000).expect("in range");
        for (text, unit, says) in [
            ("1700000000123", Unit::Seconds, "looks like milliseconds"),
            ("1700000000", Unit::Milliseconds, "looks like seconds"),
            ("99999999999999999999", Unit::Seconds, "is too large"),
            ("yesterday", Unit::Seconds, "is not a number"),
            ("yesterday", Unit::DateOrSeconds, "is not a date"),
        ] {
            let refusal = check(&DATE, text, unit, DEFAULT_TOLERANCE, now);
            let words = refusal.expect_err("refused").to_string();
            assert!(words.contains(says), "{words}");
        }
    }

    #[test]
    fn what_is_not_a_whole_number_is_refused() {
        for text in
            ["", "-1", "+1700000000", "1700000000.0", "1e9", "hello", "99999999999999999999"]
        {
            assert_eq!(judge(text, Unit::Seconds), Err("malformed_header"), "{text}");
        }
    }
}
