//! Types of flow control that the configuration, the dispatcher and the store share.

use std::sync::Arc;
use std::time::Duration;

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
