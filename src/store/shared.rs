//! What the processes that share a store tell each other through it: that they are alive, which configuration
//! they run, and which circuit breakers are open.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

use super::Pending;

/// What a replica declares about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// `all`, `ingest` or `dispatch`.
    pub role: Arc<str>,
    /// The version of its configuration.
    pub version: Arc<str>,
    /// The jobs that it allows, as [`super::Permit::declared`] spells them.
    pub jobs: Vec<String>,
    /// For how long each source's deliveries are known, in milliseconds, where that is more than a week.
    pub windows: BTreeMap<Arc<str>, u64>,
}

/// The open circuit breaker of a workbench.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenCircuit {
    /// The workbench.
    pub workbench: Arc<str>,
    /// When the breaker becomes half-open. [`Shared::open_circuit`] ignores it and adds `length` to the
    /// store's time.
    pub until: Timestamp,
    /// How long the breaker stays open.
    pub length: Duration,
}

/// How many notifications other processes have sent, by subject.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Notifications {
    /// There may be runs to take from the queue.
    pub runs: u64,
    /// Something was paused or resumed, or another configuration is in force.
    pub pauses: u64,
}

/// What replicas tell each other through the store.
pub trait Shared: Send + Sync {
    /// Declares that this replica is alive and which configuration it runs. `changed` is true when it has
    /// just loaded another configuration, which then becomes the newest. A configuration that no replica has
    /// declared before becomes the newest in any case. Call it regularly: a replica that does not counts as
    /// gone.
    fn declare(&self, declared: Declared, changed: bool) -> Pending<'_, ()>;

    /// Withdraws the declaration when this replica ends.
    fn leave(&self) -> Pending<'_, ()>;

    /// Shares that a workbench's circuit breaker has opened.
    fn open_circuit(&self, circuit: OpenCircuit) -> Pending<'_, ()>;

    /// Ends the wait of a workbench's open circuit breaker, so that a trial can be claimed now.
    fn half_open(&self, workbench: Arc<str>) -> Pending<'_, ()>;

    /// Shares that a workbench's circuit breaker has closed.
    fn close_circuit(&self, workbench: Arc<str>) -> Pending<'_, ()>;

    /// Gives back the trial of a workbench, since it said nothing about the workbench.
    fn no_trial(&self, workbench: Arc<str>) -> Pending<'_, ()>;

    /// The open and half-open circuit breakers.
    fn open_circuits(&self) -> Pending<'_, Vec<OpenCircuit>>;

    /// Changes whenever another replica sends a notification.
    fn notifications(&self) -> watch::Receiver<Notifications>;
}
