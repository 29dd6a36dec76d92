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
    /// What could make the configuration ask for it.
    pub until: Until,
}

/// What could make the configuration ask for a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// Another version of it.
    Changed,
    /// Files that are not in force, for their faults: the run's route may be in one of them.
    Mended,
    /// Nothing.
    Never,
}

impl NotAsked {
    /// This configuration does not ask for it, and a newer one may.
    pub fn here(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), until: Until::Changed }
    }

    /// Files that are held back for their faults may have its route.
    pub fn held_back(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), until: Until::Mended }
    }

    /// No configuration can ask for it.
    pub fn anywhere(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), until: Until::Never }
    }

    /// The reason, with what a person can do about the run.
    pub fn with_advice(&self) -> String {
        let works = match self.until {
            Until::Changed => {
                "mend the route and then release the run (--retry), or start its delivery by the routes of today \
                 with `replay --again`; `runs cancel` gives it up"
            }
            Until::Mended => "mend the files, and it is sent; `runs cancel` gives it up",
            Until::Never => {
                "start its delivery by the routes of today with `replay --again`; `runs cancel` gives it up"
            }
        };
        format!("the configuration does not ask for it: {}; {works}", self.reason)
    }
}
