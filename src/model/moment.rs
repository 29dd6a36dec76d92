//! Moments and lengths of time, as people read them. Pure.

use std::time::Duration;

use jiff::Timestamp;

/// A moment to the second, in UTC: `2026-03-01 12:00:00Z`. Every list, note and reason writes it so.
pub fn to_the_second(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// A length of time: `340 ms`, `1.2 s`, `75 s`, `15 min`, `2 h 5 min`, `3 days`. Every reason, note, log line for
/// people and command writes it so.
pub fn length(time: Duration) -> String {
    let milliseconds = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let seconds = milliseconds / 1000 + u64::from(milliseconds % 1000 >= 500);
    match milliseconds {
        0..=999 => format!("{milliseconds} ms"),
        1_000..=9_949 => {
            let tenths = (milliseconds + 50) / 100;
            match tenths % 10 {
                0 => format!("{} s", tenths / 10),
                tenth => format!("{}.{tenth} s", tenths / 10),
            }
        }
        _ => match seconds {
            0..=119 => format!("{seconds} s"),
            120..=3_599 => two(seconds, (60, "min"), (1, "s")),
            3_600..=172_799 => two(seconds, (3_600, "h"), (60, "min")),
            _ => two(seconds, (86_400, "days"), (3_600, "h")),
        },
    }
}

/// A number of seconds in a unit and the next smaller one, which is left out where there is none of it.
fn two(seconds: u64, (unit, word): (u64, &str), (small, small_word): (u64, &str)) -> String {
    match seconds % unit / small {
        0 => format!("{} {word}", seconds / unit),
        rest => format!("{} {word} {rest} {small_word}", seconds / unit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_the_precision_that_a_person_wants() {
        let moment: Timestamp = "2026-03-01T12:00:00.123456789Z".parse().expect("a time");
        assert_eq!(to_the_second(moment), "2026-03-01 12:00:00Z");
        for (milliseconds, words) in [
            (0, "0 ms"),
            (340, "340 ms"),
            (1_000, "1 s"),
            (1_249, "1.2 s"),
            (1_250, "1.3 s"),
            (9_949, "9.9 s"),
            (9_950, "10 s"),
            (75_499, "75 s"),
            (119_499, "119 s"),
            (119_500, "2 min"),
            (900_300, "15 min"),
            (930_000, "15 min 30 s"),
            (3_600_000, "1 h"),
            (7_500_000, "2 h 5 min"),
            (172_800_000, "2 days"),
            (176_400_000, "2 days 1 h"),
            (u64::MAX, "213503982334 days 14 h"),
        ] {
            assert_eq!(length(Duration::from_millis(milliseconds)), words);
        }
    }
}
