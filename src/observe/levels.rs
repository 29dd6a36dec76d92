//! Gauges: numbers that go up and down. They are not observations: reading how many runs wait is not an
//! event, and a log line for every request that begins or ends would be noise.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use prometheus_client::metrics::gauge::Gauge;

use crate::model::{Role, RunState};
use crate::process::Usage;
use crate::store::Counts;

/// What waits at one moment, read when somebody asks for the metrics. A gauge keeps its last value where
/// the new one is `None`.
#[derive(Clone, Debug, Default)]
pub struct Levels {
    /// The moment.
    pub now: Timestamp,
    /// The role of the process, and the names that are configured.
    pub configured: Option<Configured>,
    /// Runs that wait, by state.
    pub counts: Option<Counts>,
    /// Runs that have waited for a person for longer than `server.hold_alert`.
    pub held_too_long: Option<u64>,
    /// What is paused, as kind and name.
    pub paused: Option<Vec<(&'static str, String)>>,
    /// The runs of each configured job.
    pub jobs: Option<Vec<JobLevels>>,
    /// How far each workbench's clock is ahead of this machine's.
    pub clocks_ahead: Vec<(Arc<str>, SignedDuration)>,
    /// Configured addresses of published keys that have not been fetched yet.
    pub issuers_without_keys: Option<usize>,
    /// What the process uses of the machine.
    pub process: Option<Usage>,
    /// Each workbench, and whether its circuit breaker is open or half-open.
    pub breakers: Vec<(Arc<str>, bool)>,
}

/// What the configuration in force has: each name has its series from the first scrape on.
#[derive(Clone, Debug)]
pub struct Configured {
    /// The role of the process.
    pub role: Role,
    /// The version in force.
    pub version: Arc<str>,
    /// The sources, and how many secrets each has.
    pub sources: Vec<(Arc<str>, usize)>,
    /// The routes.
    pub routes: Vec<Arc<str>>,
    /// The jobs.
    pub jobs: Vec<Arc<str>>,
    /// The workbenches.
    pub workbenches: Vec<Arc<str>>,
    /// The API keys, as `workbench/key`.
    pub keys: Vec<String>,
}

/// The runs of one job at one moment.
#[derive(Clone, Debug, Default)]
pub struct JobLevels {
    /// The job.
    pub job: Arc<str>,
    /// Its runs that have not ended: a state, how many, and when the oldest was accepted.
    pub open: Vec<(RunState, u64, Timestamp)>,
    /// Runs that failed within the last day and are still failed.
    pub failed_lately: u64,
    /// Runs of its backlog that are still queued.
    pub backlog: u64,
    /// The pace at which its queued runs are started, where it has one.
    pub per_minute: Option<u32>,
    /// When the last of its queued runs is expected to start.
    pub expected_end: Option<Timestamp>,
    /// Queued runs whose deadline is before that.
    pub late: u64,
}

/// A request that is being received, with the bytes of its body. Dropping it subtracts both from the
/// gauges.
pub struct InFlight {
    requests: Gauge,
    bytes: Gauge,
    taken: i64,
}

impl InFlight {
    pub(super) fn begin(requests: Gauge, bytes: Gauge) -> Self {
        requests.inc();
        Self { requests, bytes, taken: 0 }
    }

    /// Adds bytes of the body to the gauge.
    pub fn add_bytes(&mut self, more: i64) {
        self.taken = self.taken.saturating_add(more);
        self.bytes.inc_by(more);
    }

    /// Subtracts the bytes of the body from the gauge.
    pub fn drop_bytes(&mut self) {
        self.bytes.dec_by(std::mem::take(&mut self.taken));
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.requests.dec();
        self.bytes.dec_by(self.taken);
    }
}
