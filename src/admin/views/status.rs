//! Whether the gateway is ready, and what a person should look at.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// `GET /api/status`, and `GET /readyz` with a token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Status {
    /// Whether deliveries can be kept now.
    pub ready: bool,
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
}

/// `GET /readyz` without a known token. It holds no names, since anybody may reach the listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readiness {
    /// Whether deliveries can be kept now.
    pub ready: bool,
    /// How many notes there are for people to look at.
    pub notes: usize,
}

/// Either answer of `GET /readyz`, as a client reads it.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Ready {
    /// The answer to a known token.
    Status(Status),
    /// The answer to everybody else.
    Readiness(Readiness),
}

impl From<&Status> for Readiness {
    fn from(status: &Status) -> Self {
        Self { ready: status.ready, notes: status.notes.len() }
    }
}
