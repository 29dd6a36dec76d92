//! What the operator sees: structured logs, metrics, health.

pub mod log;
mod metrics;
mod tracing_setup;

pub use metrics::{Metrics, SourceVerdict};
pub use tracing_setup::{LogFormat, start_tracing};
