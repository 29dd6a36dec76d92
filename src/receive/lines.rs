//! How many log lines requests to unknown addresses may write: anybody can send them, without end. Pure.

use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// Lines in each [`SPAN`].
const LINES: u32 = 30;
/// The time over which lines are counted.
const SPAN: SignedDuration = SignedDuration::from_secs(60);

/// The lines that were written.
#[derive(Debug, Default)]
pub(super) struct Lines(Mutex<Written>);

#[derive(Debug, Default)]
struct Written {
    since: Option<Timestamp>,
    lines: u32,
    left_out: u64,
}

impl Lines {
    /// Whether a line may be written now: how many were left out since the last one that was written.
    pub(super) fn next(&self, now: Timestamp) -> Option<u64> {
        let mut written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if written.since.is_none_or(|since| now.duration_since(since).abs() >= SPAN) {
            written.since = Some(now);
            written.lines = 0;
        }
        if written.lines >= LINES {
            written.left_out += 1;
            return None;
        }
        written.lines += 1;
        Some(std::mem::take(&mut written.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirty_lines_a_minute_are_written_and_the_next_one_says_how_many_were_left_out() {
        let (lines, begin) = (Lines::default(), Timestamp::UNIX_EPOCH);
        let written = (0..100).filter(|_| lines.next(begin) == Some(0)).count();
        assert_eq!(written, 30);
        assert_eq!(lines.next(begin + SignedDuration::from_secs(59)), None);
        assert_eq!(lines.next(begin + SPAN), Some(71));
        assert_eq!(lines.next(begin + SPAN), Some(0));
        assert_eq!(lines.next(begin - SPAN), Some(0), "the clock may be set back");
    }
}
