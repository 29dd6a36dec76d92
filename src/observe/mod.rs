//! What the operator sees: structured logs and metrics.
//!
//! What the gateway learns is told once: a step hands an [`Observation`] to [`Observer::tell`], and
//! whoever wants to know of it is listed there. No step writes a log line or counts by itself, and no
//! observation can hold a body, a signature or a secret. Numbers that are read rather than learned (how
//! much waits, how much is in flight) are [`Levels`] and [`InFlight`].

mod attempt;
mod delivery;
mod levels;
mod log;
mod metrics;
mod observation;
#[cfg(test)]
mod tests;
mod tracing_setup;

pub use attempt::{AttemptEnded, Follows};
pub use delivery::{DeliveryKept, DeliveryRefused, Verdict};
pub use levels::{InFlight, Levels};
pub use metrics::Metrics;
pub use observation::{Observation, RunAt};
pub use tracing_setup::{LogFormat, start_tracing};

/// Is told what happens, and hands it on to everybody who listens.
///
/// Listeners hear of what has happened, after it has. What must not be lost when the process dies (a
/// message to people or to a sender) is not sent from here: it is kept in the transaction that keeps the
/// fact.
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

    /// Notes that a request is being received, for as long as the guard lives.
    pub fn request_in_flight(&self) -> InFlight {
        self.metrics.request_in_flight()
    }

    /// The numbers, for whoever reads them.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }
}
