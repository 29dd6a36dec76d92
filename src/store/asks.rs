//! What the configuration in force asks for: every run is held against it before its attempt begins.
//!
//! With roles, a process that takes deliveries from outside writes the runs, and another one starts jobs. The
//! one that starts believes a run only where its own configuration asks for such a run.

use std::fmt;

use super::requests::Lease;

/// A configuration that says whether it asks for a run.
pub trait Asks: fmt::Debug + Send + Sync {
    /// Whether the run could come of this configuration: its route, its job and its variables.
    ///
    /// # Errors
    /// [`NotAsked`] with the first test that failed.
    fn asks_for(&self, lease: &Lease) -> Result<(), NotAsked>;
}

/// A run that the configuration does not ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAsked {
    /// The test that failed, for people. It quotes no value.
    pub reason: String,
    /// Whether another configuration could ask for such a run. False where none can.
    pub may_change: bool,
}

impl NotAsked {
    /// This configuration does not ask for it, and a newer one may.
    pub fn here(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), may_change: true }
    }

    /// No configuration can ask for it.
    pub fn anywhere(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), may_change: false }
    }
}
