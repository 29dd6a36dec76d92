//! Dates as HTTP writes them, in all three forms that a recipient must read (RFC 9110, 5.6.7).

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The moment that it names. `now` tells which century two digits of a year belong to.
pub(super) fn http_date(value: &str, now: Timestamp) -> Option<Timestamp> {
    let value = value.trim();
    let usual = jiff::fmt::rfc2822::parse(value).ok().map(|date| date.timestamp());
    usual.or_else(|| of_rfc_850(value, now)).or_else(|| of_asctime(value))
}

/// `Sunday, 06-Nov-94 08:49:37 GMT`
fn of_rfc_850(value: &str, now: Timestamp) -> Option<Timestamp> {
    let (_weekday, rest) = value.split_once(", ")?;
    let [date, time, "GMT"] = rest.split(' ').collect::<Vec<_>>()[..] else { return None };
    let [day, month, year] = date.split('-').collect::<Vec<_>>()[..] else { return None };
    let this = now.to_zoned(TimeZone::UTC).year();
    let year = (year.len() == 2).then(|| number(year))?? + this.div_euclid(100) * 100;
    // What would be more than fifty years ahead is the last year that ended so.
    let year = if year > this + 50 { year - 100 } else { year };
    moment(year, month, day, time)
}

/// `Sun Nov  6 08:49:37 1994`
fn of_asctime(value: &str) -> Option<Timestamp> {
    let words: Vec<&str> = value.split_ascii_whitespace().collect();
    let [_weekday, month, day, time, year] = words[..] else { return None };
    moment((year.len() == 4).then(|| number(year))??, month, day, time)
}

fn moment(year: i16, month: &str, day: &str, time: &str) -> Option<Timestamp> {
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    let date = Date::new(year, i8::try_from(month).ok()?, small(day)?).ok()?;
    let [hour, minute, second] = time.split(':').collect::<Vec<_>>()[..] else { return None };
    // A leap second counts as the one before it.
    let time = Time::new(small(hour)?, small(minute)?, small(second)?.min(59), 0).ok()?;
    date.to_datetime(time).to_zoned(TimeZone::UTC).ok().map(|moment| moment.timestamp())
}

fn small(digits: &str) -> Option<i8> {
    number(digits).and_then(|number| i8::try_from(number).ok())
}

fn number(digits: &str) -> Option<i16> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn one_moment_is_read_in_all_three_forms() {
        let now = at("1994-11-06T08:00:00Z");
        for form in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(http_date(form, now), Some(at("1994-11-06T08:49:37Z")), "{form}");
        }
    }

    #[test]
    fn two_digits_of_a_year_are_never_more_than_fifty_years_ahead() {
        let now = at("2026-03-01T12:00:00Z");
        let year = |year: &str| {
            let read = http_date(&format!("Sunday, 06-Nov-{year} 08:49:37 GMT"), now);
            read.map(|moment| moment.to_zoned(TimeZone::UTC).year())
        };
        assert_eq!(year("26"), Some(2026));
        assert_eq!(year("76"), Some(2076));
        assert_eq!(year("77"), Some(1977));
        assert_eq!(year("94"), Some(1994));
        assert_eq!(year("00"), Some(2000));
    }

    #[test]
    fn what_is_no_date_is_none() {
        let now = at("2026-03-01T12:00:00Z");
        for text in [
            "",
            "soon",
            "Sunday, 31-Feb-26 08:49:37 GMT",
            "Sunday, 06-Nov-26 08:49:37 CET",
            "Sunday, 06-Nov-2026 08:49:37 GMT",
            "Sunday, 06-Nov-+9 08:49:37 GMT",
            "Sun Nov  6 25:49:37 1994",
            "Sun Nov  6 08:49 1994",
            "Sun Nov  6 08:49:37 94",
            "Sun Foo  6 08:49:37 1994",
        ] {
            assert_eq!(http_date(text, now), None, "{text}");
        }
    }
}
