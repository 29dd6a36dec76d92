//! What the operator sees: structured logs and metrics.
//!
//! Each fact is reported once: a step hands an [`Observation`] to [`Observer::tell`], which writes the
//! log line and counts. No step logs or counts by itself, and no observation can hold a body, a signature
//! or a secret. Numbers that are read on demand (how many runs wait, how many requests are in flight) are
//! [`Levels`] and [`InFlight`].

mod attempt;
mod connections;
mod delivery;
mod levels;
mod log;
mod metrics;
mod observation;
#[cfg(test)]
mod tests;
mod tracing_setup;
mod visible;

pub use attempt::{AttemptEnded, Follows};
pub use connections::{ConnectionEnd, OpenConnection};
pub use delivery::{DeliveryKept, DeliveryRefused, Verdict};
pub use levels::{Configured, InFlight, JobLevels, Levels};
pub use metrics::{Metrics, MetricsFormat};
pub use observation::{Observation, RunAt};
pub use tracing_setup::{LogFormat, start_tracing};

/// Passes each observation to the log and the metrics.
///
/// An observation is reported after the fact, and is lost if the process dies in between. A message that
/// must not be lost (to people or to a sender) is therefore not sent from here: the transaction that
/// records the fact records the message too.
#[derive(Default)]
pub struct Observer {
    metrics: Metrics,
}

impl Observer {
    /// An observer whose counters are at zero.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells the log and the metrics what has happened.
    pub fn tell(&self, observation: Observation<'_>) {
        log::write(&observation);
        self.metrics.count(&observation);
    }

    /// Counts a request as in flight until the guard is dropped.
    pub fn request_in_flight(&self) -> InFlight {
        self.metrics.request_in_flight()
    }

    /// Counts a connection of a listener as open until the guard is dropped.
    pub fn connection_open(&self, listener: &'static str) -> OpenConnection {
        self.metrics.connection_open(listener)
    }

    /// The metrics.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }
}
