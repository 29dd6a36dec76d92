//! Moments and lengths of time, as people read them. Pure.

use jiff::Timestamp;

/// A moment to the second, in UTC: `2026-03-01 12:00:00Z`. Every list, note and reason writes it so.
pub fn to_the_second(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// A length of time, given in milliseconds: `340 ms`, `1.2 s`, `75 s`.
pub fn length(milliseconds: u64) -> String {
    match milliseconds {
        0..=999 => format!("{milliseconds} ms"),
        1_000..=9_949 => {
            let tenths = (milliseconds + 50) / 100;
            format!("{}.{} s", tenths / 10, tenths % 10)
        }
        _ => format!("{} s", (milliseconds + 500) / 1000),
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
            (1_000, "1.0 s"),
            (1_249, "1.2 s"),
            (1_250, "1.3 s"),
            (9_949, "9.9 s"),
            (9_950, "10 s"),
            (75_499, "75 s"),
        ] {
            assert_eq!(length(milliseconds), words);
        }
    }
}
