//! The time of day in a zone. Which time it is comes from the event or the payload; nothing here reads a clock.

use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::Call;
use crate::expression::fault::{EvaluationFault, EvaluationFaultKind};
use crate::expression::meter::Meter;
use crate::expression::vocabulary::closest;
use crate::model::Value;

/// The longest text that is read as a time.
const LONGEST: usize = 64;
/// The steps that the conversion of a time costs.
const COST: u64 = 30;
/// The bytes of what it gives.
const SIZE: usize = 512;
/// Seconds of a day.
const DAY: u32 = 86_400;

const DAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// A time zone that an expression names, looked up when the expression is compiled.
#[derive(Debug)]
pub(in crate::expression) struct Zone(TimeZone);

impl Zone {
    /// The zone of this name in the database of IANA, as it is built into the program.
    ///
    /// # Errors
    /// What is wrong, and a hint.
    pub(in crate::expression) fn find(name: &str) -> Result<Self, (String, Option<String>)> {
        let zones = TimeZoneDatabase::bundled();
        zones.get(name).map(Self).map_err(|_| {
            let known: Vec<String> = zones.available().map(|name| name.to_string()).collect();
            let meant = closest(name, known.iter().map(String::as_str));
            let hint = meant.map(|name| format!("did you mean \"{name}\""));
            let usual = || "write a name such as \"Europe/Berlin\" or \"UTC\"".to_owned();
            (format!("there is no time zone `{name}`"), Some(hint.unwrap_or_else(usual)))
        })
    }

    /// Its name in the database.
    pub(in crate::expression) fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// A time in this zone: its date, its time of day and their parts. The time is a text (RFC 3339) or a number
    /// of seconds since 1970.
    pub(in crate::expression) fn parts(
        &self,
        value: &Value,
        meter: &mut Meter,
    ) -> Result<Value, EvaluationFault> {
        meter.work(COST)?;
        meter.build(SIZE)?;
        let time = match value {
            Value::Text(text) if text.len() <= LONGEST => text.parse::<Timestamp>().ok(),
            Value::Text(_) => None,
            Value::Int(seconds) => Timestamp::from_second(*seconds).ok(),
            other => {
                let message = format!("`inZone` needs a time and got {}", other.kind());
                return Err(EvaluationFault::new(EvaluationFaultKind::Type, message));
            }
        };
        let time = time.ok_or_else(|| {
            let message = "`inZone`: this is not a time such as 2026-03-01T02:30:00Z";
            EvaluationFault::new(EvaluationFaultKind::Value, message)
        })?;
        let local = self.0.to_datetime(time);
        let weekday = usize::try_from(local.weekday().to_monday_zero_offset()).unwrap_or(0);
        Ok(Value::map(vec![
            ("date", Value::from(local.strftime("%Y-%m-%d").to_string())),
            ("time", Value::from(local.strftime("%H:%M:%S").to_string())),
            ("weekday", Value::text(DAYS.get(weekday).copied().unwrap_or_default())),
            ("year", Value::Int(local.year().into())),
            ("month", Value::Int(local.month().into())),
            ("day", Value::Int(local.day().into())),
            ("hour", Value::Int(local.hour().into())),
            ("minute", Value::Int(local.minute().into())),
            ("second", Value::Int(local.second().into())),
        ]))
    }
}

/// Whether this is a time of day, as `between` takes it.
pub(in crate::expression) fn is_clock(text: &str) -> bool {
    clock(text).is_some()
}

/// The second of the day that `HH:MM` or `HH:MM:SS` stands for; `24:00` is the end of the day.
fn clock(text: &str) -> Option<u32> {
    let mut parts = text.split(':').map(|part| {
        let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse::<u32>().ok()).flatten()
    });
    let (hour, minute) = (parts.next()??, parts.next()??);
    let second = match parts.next() {
        Some(second) => second?,
        None => 0,
    };
    let clock = (hour * 60 + minute) * 60 + second;
    (parts.next().is_none() && minute < 60 && second < 60 && clock <= DAY).then_some(clock)
}

impl Call<'_> {
    /// Whether a time of day lies from one to another, the second excluded. Where the first is later than the
    /// second, the span goes over midnight.
    pub(super) fn between(&mut self) -> Result<Value, EvaluationFault> {
        self.meter.work(COST)?;
        let value = self.argument(0);
        let time = value.get("time").unwrap_or(value);
        let time = time
            .as_str()
            .ok_or_else(|| self.unfit(value, "a time of day, as `inZone` gives it"))?;
        let (from, to) = (self.short_text(1)?, self.short_text(2)?);
        let [Some(time), Some(from), Some(to)] = [time, from, to].map(clock) else {
            return Err(self.bad_value("a time of day is written as 02:30 or 02:30:00"));
        };
        Ok(Value::Bool(if from <= to {
            from <= time && time < to
        } else {
            time >= from || time < to
        }))
    }
}
