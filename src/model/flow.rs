//! Words of flow control that the configuration, the queue and the store share.

use std::sync::Arc;
use std::time::Duration;

/// Runs of one route with the same key stand for each other: the newest takes the place of those
/// that are not sent yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Latest {
    /// What they have in common.
    pub key: Arc<str>,
    /// How long to wait for a newer one.
    pub wait: Duration,
    /// How long the first of them may be made to wait in all.
    pub wait_at_most: Duration,
}

/// What becomes of the runs that wait when something goes on after a rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backlog {
    /// They are sent at a pace.
    Paced,
    /// Of each route, and of each kind where it has some, only the newest is sent.
    Latest,
    /// They are held for a person.
    Review,
}

/// When a workbench that keeps failing is given a rest, and for how long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BreakerPolicy {
    /// Attempts are looked at for this long.
    pub window: Duration,
    /// With fewer attempts than this nothing is concluded.
    pub least: u32,
    /// Opens when at least this many of a hundred failed.
    pub percent: u32,
    /// The first rest; twice as long each time that the trial after it fails.
    pub open_for: Duration,
    /// The longest rest.
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
