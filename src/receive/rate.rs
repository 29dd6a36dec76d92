//! Limits how many deliveries a source may send: the generic cell rate algorithm. It allows a burst, then
//! spreads the rate evenly, and stores one timestamp for each source.
//!
//! The clock is the wall clock, which may be set back. The stored timestamp is then limited to one full
//! burst ahead of now, so that no source waits longer than it would have.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::clock::{between, later};
use crate::config::Rate;

/// What each source has used of its rate. It survives a reload; a source's count starts again only when its
/// rate was changed.
#[derive(Debug, Default)]
pub struct Rates(Mutex<HashMap<(Arc<str>, Counted), Bucket>>);

/// What is counted against a rate. Each has a count of its own, so that strangers, who can send greetings,
/// cannot use up what deliveries may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Counted {
    /// Authentic deliveries.
    Deliveries,
    /// Greetings that are not signed.
    Greetings,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    rate: Rate,
    /// When the next delivery would be due if those taken so far had come evenly.
    due: Timestamp,
}

impl Rates {
    /// Counts one delivery, or one greeting.
    ///
    /// # Errors
    /// Over the rate: the time after which the next one is accepted. This one was not counted.
    pub(super) fn take(
        &self,
        source: &Arc<str>,
        counted: Counted,
        rate: Rate,
        now: Timestamp,
    ) -> Result<(), Duration> {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = Bucket { rate, due: now };
        let bucket = buckets.entry((Arc::clone(source), counted)).or_insert(fresh);
        if bucket.rate != rate {
            *bucket = fresh;
        }
        bucket.take(now)
    }
}

impl Bucket {
    fn take(&mut self, now: Timestamp) -> Result<(), Duration> {
        let Rate { number, per } = self.rate;
        let pause = per / number.max(1);
        let due = self.due.clamp(now, later(now, pause * number));
        let due = later(due, pause);
        let full = later(now, pause * number);
        if due > full {
            return Err(between(full, due));
        }
        self.due = due;
        Ok(())
    }
}

/// The time in whole seconds, rounded up and at least 1, as `Retry-After` is written.
pub(super) fn whole_seconds(wait: Duration) -> u64 {
    let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
    let more = u64::from(wait.subsec_nanos() > 0);
    wait.as_secs().unsigned_abs().saturating_add(more).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_790_000_000_000 + millis).expect("in range")
    }

    fn rate(text: &str) -> Rate {
        text.parse().expect("a rate")
    }

    /// How many of a hundred are taken now, and how long the next has to wait.
    fn taken(rates: &Rates, rate: Rate, now: Timestamp) -> (usize, Option<Duration>) {
        let tried: Vec<_> =
            (0..100).map(|_| rates.take(&"a".into(), Counted::Deliveries, rate, now)).collect();
        (tried.iter().filter(|one| one.is_ok()).count(), tried[99].err())
    }

    #[test]
    fn the_number_may_come_at_once_and_then_evenly() {
        let (rates, rate) = (Rates::default(), rate("60/m"));
        assert_eq!(taken(&rates, rate, at(0)), (60, Some(Duration::from_secs(1))));
        assert_eq!(taken(&rates, rate, at(999)), (0, Some(Duration::from_millis(1))));
        assert_eq!(taken(&rates, rate, at(1000)), (1, Some(Duration::from_secs(1))));
        assert_eq!(taken(&rates, rate, at(31_000)).0, 30);
        assert_eq!(taken(&rates, rate, at(1_000_000)).0, 60, "no more than the number is saved up");
    }

    #[test]
    fn what_was_refused_is_not_counted() {
        let (rates, rate) = (Rates::default(), rate("1/s"));
        assert_eq!(taken(&rates, rate, at(0)).0, 1);
        assert_eq!(taken(&rates, rate, at(1000)).0, 1);
    }

    #[test]
    fn a_clock_that_is_set_back_makes_nobody_wait_longer() {
        let (rates, rate) = (Rates::default(), rate("2/m"));
        assert_eq!(taken(&rates, rate, at(0)).0, 2);
        assert_eq!(taken(&rates, rate, at(-3_600_000)), (0, Some(Duration::from_secs(30))));
    }

    #[test]
    fn another_rate_begins_anew_and_the_same_goes_on() {
        let rates = Rates::default();
        assert_eq!(taken(&rates, rate("3/h"), at(0)).0, 3);
        assert_eq!(taken(&rates, rate("3/h"), at(1)).0, 0);
        assert_eq!(taken(&rates, rate("4/h"), at(2)).0, 4);
    }

    #[test]
    fn sources_do_not_share_a_rate() {
        let (rates, rate) = (Rates::default(), rate("1/h"));
        let take = |source: &str| rates.take(&source.into(), Counted::Deliveries, rate, at(0));
        assert!(take("a").is_ok());
        assert!(take("b").is_ok());
        assert!(take("a").is_err());
    }

    #[test]
    fn greetings_take_nothing_of_what_deliveries_may_use() {
        let (rates, rate) = (Rates::default(), rate("1/h"));
        let take = |counted| rates.take(&"a".into(), counted, rate, at(0));
        assert!(take(Counted::Greetings).is_ok());
        assert!(take(Counted::Greetings).is_err());
        assert!(take(Counted::Deliveries).is_ok());
    }

    #[test]
    fn seconds_are_rounded_up() {
        for (millis, seconds) in [(1, 1), (1000, 1), (1001, 2), (59_999, 60)] {
            assert_eq!(whole_seconds(Duration::from_millis(millis)), seconds, "{millis}");
        }
    }
}
