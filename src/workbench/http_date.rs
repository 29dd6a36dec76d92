//! Parses HTTP dates, in all three forms that a recipient must accept (RFC 9110, 5.6.7). `httpdate` does the
//! parsing; only the century of a two-digit year is chosen here, since that depends on the current time.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The moment of a date; `None` where it is not a date. `now` decides the century of a two-digit year.
pub(super) fn http_date(value: &str, now: Timestamp) -> Option<Timestamp> {
    let usual = with_whole_year(value.trim(), now);
    let date = httpdate::parse_http_date(usual.as_deref().unwrap_or(value)).ok()?;
    Timestamp::try_from(date).ok()
}

/// Rewrites `Sunday, 06-Nov-94 08:49:37 GMT` as `Sun, 06 Nov 1994 08:49:37 GMT`; `None` for other forms.
fn with_whole_year(value: &str, now: Timestamp) -> Option<String> {
    let (weekday, rest) = value.split_once("day, ")?;
    let (date, time) = rest.split_once(' ')?;
    let [day, month, year] = date.split('-').collect::<Vec<_>>()[..] else { return None };
    let year = whole_year(year, now)?;
    Some(format!("{}, {day} {month} {year:04} {time}", weekday.get(..3)?))
}

/// The year of two digits, in the current century. If that is more than fifty years ahead, it belongs to the
/// century before.
fn whole_year(digits: &str, now: Timestamp) -> Option<i16> {
    let this = now.to_zoned(TimeZone::UTC).year();
    let is_two_digits = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let year = is_two_digits.then(|| digits.parse::<i16>().ok())?? + this.div_euclid(100) * 100;
    Some(if year > this + 50 { year - 100 } else { year })
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
        for (written, year) in [
            ("Friday, 06-Nov-26", 2026),
            ("Friday, 06-Nov-76", 2076),
            ("Sunday, 06-Nov-77", 1977),
            ("Sunday, 06-Nov-94", 1994),
            ("Monday, 06-Nov-00", 2000),
        ] {
            let read = http_date(&format!("{written} 08:49:37 GMT"), now);
            let read = read.map(|moment| moment.to_zoned(TimeZone::UTC).year());
            assert_eq!(read, Some(year), "{written}");
        }
    }

    #[test]
    fn every_weekday_is_read_in_its_long_form() {
        let now = at("2026-03-01T12:00:00Z");
        let days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
        for (day, weekday) in (1..).zip(days) {
            let read = http_date(&format!("{weekday}, 0{day}-Mar-26 00:00:00 GMT"), now);
            assert_eq!(read, Some(at(&format!("2026-03-0{day}T00:00:00Z"))), "{weekday}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        let now = at("2026-03-01T12:00:00Z");
        for text in [
            "",
            "soon",
            "Sunday, 31-Feb-26 08:49:37 GMT",
            "Friday, 06-Nov-26 08:49:37 CET",
            "Friday, 06-Nov-2026 08:49:37 GMT",
            "Friday, 06-Nov-+9 08:49:37 GMT",
            "Sunday, 06-Nov-26 08:49:37 GMT",
            "Fri, 06-Nov-26 08:49:37 GMT",
            "é day, 06-Nov-26 08:49:37 GMT",
            "Sun Nov  6 25:49:37 1994",
            "Sun Nov  6 08:49 1994",
            "Sun Nov  6 08:49:37 94",
            "Sun Foo  6 08:49:37 1994",
        ] {
            assert_eq!(http_date(text, now), None, "{text}");
        }
    }
}
