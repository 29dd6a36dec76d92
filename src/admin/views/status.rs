//! Whether the gateway is ready, and what a person should look at.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// `GET /api/status`, and `GET /readyz` with a token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Status {
    /// Whether deliveries can be kept now, and the process was not told to stop.
    pub ready: bool,
    /// Whether the process was told to stop; left out where it was not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stopping: bool,
    /// The program's version.
    pub version: String,
    /// Digest of the configuration in force.
    pub config: String,
    /// Faults in the configuration files on disk. What is faulty is not in force.
    pub config_faults: usize,
    /// The gateway's time.
    pub now: Timestamp,
    /// Why it is not ready, or what a person should look at.
    pub notes: Vec<String>,
    /// Queued runs.
    pub queued: u64,
    /// Runs whose start request is in flight.
    pub sending: u64,
    /// Runs that wait for a person.
    pub held: u64,
    /// Of those, how many have waited longer than `server.hold_alert`.
    #[serde(default)]
    pub held_too_long: u64,
    /// Runs that failed within the last day and are still failed.
    #[serde(default)]
    pub failed_lately: u64,
    /// The jobs that have runs which have not ended, or that failed lately. Empty in a process that only
    /// receives.
    #[serde(default)]
    pub jobs: Vec<JobStatus>,
}

/// The runs of a job.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct JobStatus {
    /// The job.
    pub job: String,
    /// Runs that wait for a newer one to take their place (`latest_per`).
    pub waiting: u64,
    /// When the oldest of them was accepted.
    pub oldest_waiting: Option<Timestamp>,
    /// Queued runs.
    pub queued: u64,
    /// When the oldest of them was accepted.
    pub oldest_queued: Option<Timestamp>,
    /// Runs whose start request is in flight.
    pub sending: u64,
    /// When the oldest of them was accepted.
    pub oldest_sending: Option<Timestamp>,
    /// Runs that wait for a person.
    pub held: u64,
    /// When the oldest of them was accepted.
    pub oldest_held: Option<Timestamp>,
    /// Runs that failed within the last day and are still failed.
    pub failed_lately: u64,
    /// When the first of them failed.
    pub first_failed: Option<Timestamp>,
    /// When the last of them failed.
    pub last_failed: Option<Timestamp>,
    /// Queued runs that waited for a pause or an outage, and are released at a pace.
    pub backlog: u64,
    /// When their release began.
    pub backlog_since: Option<Timestamp>,
    /// The pace at which queued runs are started, where there is one.
    pub per_minute: Option<u32>,
    /// When the last queued run is expected to start at that pace.
    pub expected_end: Option<Timestamp>,
    /// Queued runs whose deadline is before that.
    pub expected_late: u64,
    /// What its runs wait for, in words: a pause, a circuit breaker or a limit.
    pub waits_for: Option<String>,
}

/// `GET /readyz` without a known token. It holds no names, since anybody may reach the listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readiness {
    /// Whether deliveries can be kept now, and the process was not told to stop.
    pub ready: bool,
    /// Whether the process was told to stop; left out where it was not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stopping: bool,
    /// How many notes there are for people to look at.
    pub notes: usize,
}

/// Either answer of `GET /readyz`, as a client reads it.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Ready {
    /// The answer to a known token.
    Status(Box<Status>),
    /// The answer to everybody else.
    Readiness(Readiness),
}

impl From<&Status> for Readiness {
    fn from(status: &Status) -> Self {
        Self { ready: status.ready, stopping: status.stopping, notes: status.notes.len() }
    }
}
