//! What a store does beside its use cases when many processes share it: they tell each other that
//! they live, what they run, and which workbench rests.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

use super::Pending;

/// What a replica says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// `all`, `ingest` or `dispatch`.
    pub role: Arc<str>,
    /// The version of its configuration.
    pub version: Arc<str>,
    /// The jobs that it allows, as [`super::Permit::declared`] spells them.
    pub jobs: Vec<String>,
}

/// A workbench that rests since starts kept failing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenCircuit {
    /// The workbench.
    pub workbench: Arc<str>,
    /// When a start is tried again. Ignored where a rest begins: it ends its length from then.
    pub until: Timestamp,
    /// How long it rests.
    pub length: Duration,
}

/// How often other processes have told something, by what it was about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Notifications {
    /// There is something in the queue.
    pub runs: u64,
    /// Something rests or goes on, or another configuration is in force.
    pub pauses: u64,
}

/// What replicas tell each other through the store.
pub trait Shared: Send + Sync {
    /// Says that this replica lives and what it runs; `changed` when it has just loaded another
    /// configuration, which is newer then than all that there are. A configuration that was never
    /// seen is newer in any case. Called again and again: a replica that falls silent counts as gone.
    fn declare(&self, declared: Declared, changed: bool) -> Pending<'_, ()>;

    /// Says that this replica ends.
    fn leave(&self) -> Pending<'_, ()>;

    /// Says that a workbench rests from now on.
    fn open_circuit(&self, circuit: OpenCircuit) -> Pending<'_, ()>;

    /// Says that a workbench is back.
    fn close_circuit(&self, workbench: Arc<str>) -> Pending<'_, ()>;

    /// Says that the trial of a workbench told nothing.
    fn no_trial(&self, workbench: Arc<str>) -> Pending<'_, ()>;

    /// Workbenches that rest.
    fn open_circuits(&self) -> Pending<'_, Vec<OpenCircuit>>;

    /// Changes whenever another replica has done something that a dispatcher wants to know.
    fn notifications(&self) -> watch::Receiver<Notifications>;
}
