//! Which unsigned greetings are stored. Anyone may send one, so most are answered from memory: the first of
//! a kind to a source is stored and logged, and those that follow within a minute are only counted. It does
//! no I/O and reads no clock: the time is an argument.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::between;

/// The time after a stored greeting in which others of the same kind to the same source are not stored.
const PERIOD: Duration = Duration::from_secs(60);

/// When the last greeting of each source and kind was stored. Sources are configured and kinds are fixed
/// texts of the providers, so there are few entries.
#[derive(Debug, Default)]
pub struct Greetings(Mutex<HashMap<(Arc<str>, &'static str), Timestamp>>);

impl Greetings {
    /// Whether a greeting of this kind to this source is to be stored. If so, others that come now are not.
    pub(super) fn is_first(&self, source: &Arc<str>, what: &'static str, now: Timestamp) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (Arc::clone(source), what);
        // A time ahead of now means that the clock was set back.
        let is_recent = |at: &Timestamp| *at <= now && between(*at, now) < PERIOD;
        if last.get(&key).is_some_and(is_recent) {
            return false;
        }
        last.insert(key, now);
        true
    }

    /// Takes back what [`Self::is_first`] noted, because the greeting could not be stored.
    pub(super) fn not_kept(&self, source: &Arc<str>, what: &'static str) {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.remove(&(Arc::clone(source), what));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).expect("in range")
    }

    #[test]
    fn one_greeting_of_a_kind_is_stored_each_minute() {
        let (greetings, source) = (Greetings::default(), Arc::from("okta"));
        let stored = (0..600).filter(|half| greetings.is_first(&source, "a", at(half / 2)));
        assert_eq!(stored.count(), 5);
        assert!(greetings.is_first(&source, "b", at(0)));
        assert!(greetings.is_first(&"other".into(), "a", at(0)));
    }

    #[test]
    fn a_greeting_that_was_not_stored_makes_room_for_the_next() {
        let (greetings, source) = (Greetings::default(), Arc::from("okta"));
        assert!(greetings.is_first(&source, "a", at(0)));
        greetings.not_kept(&source, "a");
        assert!(greetings.is_first(&source, "a", at(1)));
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_keep_greetings_out() {
        let (greetings, source) = (Greetings::default(), Arc::from("okta"));
        assert!(greetings.is_first(&source, "a", at(10_000)));
        assert!(greetings.is_first(&source, "a", at(0)));
    }
}
