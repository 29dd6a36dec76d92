//! Types of flow control that the configuration, the dispatcher and the store share.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

/// The slowest pace of a backlog whose job names none, in starts a minute.
const SLOWEST: u32 = 10;
/// A backlog whose job names no pace is released within this many minutes. It is less than an hour, so that
/// retries and new runs of the job have a share too.
const MINUTES: u64 = 50;

/// The pace of a backlog that had `size` runs when its release began, in starts a minute. `asked` is the
/// job's own (`resume_per_minute`). Without one the pace follows the size, so that a night's worth is gone
/// within the hour.
pub fn pace(asked: Option<u32>, size: u64) -> u32 {
    let follows = || u32::try_from(size.div_ceil(MINUTES)).unwrap_or(u32::MAX).max(SLOWEST);
    asked.unwrap_or_else(follows)
}

/// When the last of these runs is started at this pace: the first of each minute's starts are made at once.
pub fn expected_end(runs: u64, per_minute: u32, now: Timestamp) -> Timestamp {
    let minutes = runs.saturating_sub(1) / u64::from(per_minute.max(1));
    crate::clock::later(now, Duration::from_secs(minutes.saturating_mul(60)))
}

/// Only the newest run is sent of those that share a route and a key: it supersedes older ones that wait or
/// are queued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Latest {
    /// The key, made from the route's `latest_per`.
    pub key: Arc<str>,
    /// How long a run waits for a newer one.
    pub wait: Duration,
    /// The longest time that newer runs can delay a start, counted from the first of them.
    pub wait_at_most: Duration,
}

/// What happens to a job's waiting runs when starts resume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backlog {
    /// They are sent, a limited number in each minute.
    Paced,
    /// Only the newest run is sent of each route, or of each `latest_per` key where a route has them.
    Latest,
    /// They are held until a person decides.
    Review,
}

/// When the circuit breaker of a workbench opens, and for how long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BreakerPolicy {
    /// Attempts count for this long.
    pub window: Duration,
    /// With fewer attempts than this in the window the breaker stays closed.
    pub least: u32,
    /// The breaker opens when at least this percentage of the attempts in the window failed.
    pub percent: u32,
    /// How long the breaker is open at first. The time doubles whenever the trial after it fails.
    pub open_for: Duration,
    /// The longest time that the breaker is open.
    pub longest_open: Duration,
}

impl Default for BreakerPolicy {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(60),
            least: 5,
            percent: 50,
            open_for: Duration::from_secs(30),
            longest_open: Duration::from_secs(300),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::between;

    #[test]
    fn a_backlog_of_any_size_is_gone_within_the_hour_where_the_job_names_no_pace() {
        let now = Timestamp::UNIX_EPOCH;
        for size in [1, 9, 10, 11, 500, 4_001, 14_400, 1_000_000] {
            let end = expected_end(size, pace(None, size), now);
            assert!(between(now, end) < Duration::from_secs(3600), "{size}: {end}");
        }
        assert_eq!(pace(None, 3), SLOWEST, "a short one is not rushed");
    }

    #[test]
    fn a_job_that_names_its_pace_has_it_whatever_waits() {
        assert_eq!(pace(Some(2), 1_000_000), 2);
        let end = expected_end(4_001, pace(Some(10), 4_001), Timestamp::UNIX_EPOCH);
        assert_eq!(between(Timestamp::UNIX_EPOCH, end), Duration::from_secs(400 * 60));
    }
}
