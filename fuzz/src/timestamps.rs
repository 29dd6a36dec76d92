//! A signed time is believed exactly when it is a whole number within the tolerance.

use std::time::Duration;

use cdsw_gateway::authenticate::timestamp::{self, Unit};
use http::header::DATE;

use super::{site, text_line};

/// The tolerance in seconds on the first line, then the text of a timestamp.
pub fn run(data: &[u8]) {
    let (tolerance, text) = text_line(data);
    let Ok(text) = str::from_utf8(text) else { return };
    let tolerance = Duration::from_secs(tolerance.trim().parse().unwrap_or(300));
    for (unit, scale) in [(Unit::Seconds, 1), (Unit::Milliseconds, 1000)] {
        let verdict = timestamp::check(&DATE, text, unit, tolerance, site::now());
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = digits.then(|| text.parse::<i64>().ok()).flatten();
        let off = number.map(|number| {
            (i128::from(number) - i128::from(site::now().as_second()) * scale).unsigned_abs()
        });
        // Times beyond the year 9999 cannot be told, and a tolerance may reach that far.
        let far = off.is_some_and(|off| off > 250_000_000_000_u128 * scale.unsigned_abs());
        let within =
            off.is_some_and(|off| off <= tolerance.as_secs() as u128 * scale.unsigned_abs());
        assert!(verdict.is_ok() == within || far, "{text:?} {unit} {tolerance:?}: {verdict:?}");
    }
}
