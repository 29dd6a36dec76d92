//! Pauses and circuit breakers.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::dispatch;
use crate::store;

/// Something that can be paused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "name", rename_all = "lowercase")]
pub enum Pausable {
    /// Every start.
    All,
    /// The starts of one job.
    Job(String),
    /// The runs of one route.
    Route(String),
    /// The starts with one API key, as `workbench/key`.
    Key(String),
}

/// `POST /api/pause`
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PauseAsk {
    /// What is to be paused or resumed.
    #[serde(flatten)]
    pub what: Pausable,
    /// Why, kept with the act.
    #[serde(default)]
    pub note: Option<String>,
}

/// `POST /api/resume`
pub type ResumeAsk = PauseAsk;

/// What a resume did.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Resumed {
    /// False when it was not paused.
    #[serde(default)]
    pub resumed: bool,
    /// The old name of `resumed`, kept for one version.
    #[serde(default)]
    pub rested: bool,
}

/// `GET /api/pauses`
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PausesView {
    /// What a person paused, and keys that a workbench refused.
    pub pauses: Vec<PauseView>,
    /// Workbenches whose circuit breaker is not closed.
    #[serde(default)]
    pub circuit_breakers: Vec<BreakerView>,
    /// The old form of `circuit_breakers`, kept for one version.
    #[serde(default)]
    pub resting: Vec<RestingView>,
}

/// Something that is paused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PauseView {
    /// What is paused.
    #[serde(flatten)]
    pub what: Pausable,
    /// Since when.
    pub since: Timestamp,
    /// Who paused it.
    pub who: String,
    /// Why.
    pub note: Option<String>,
}

/// A circuit breaker that is not closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreakerView {
    /// The workbench.
    pub workbench: String,
    /// Open or half-open.
    pub state: BreakerState,
    /// When the next start is sent as a trial; none while one is in flight.
    pub until: Option<Timestamp>,
}

/// The state of a circuit breaker that is not closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BreakerState {
    /// No start is sent.
    Open,
    /// One start at a time is sent, as a trial.
    HalfOpen,
}

/// The old form of [`BreakerView`], kept for one version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestingView {
    /// The workbench.
    pub workbench: String,
    /// When the next start is sent as a trial; none while one is in flight.
    pub until: Option<Timestamp>,
}

impl Resumed {
    pub(in crate::admin) fn new(resumed: bool) -> Self {
        Self { resumed, rested: resumed }
    }

    /// Whether it was paused. The answer of a gateway of the version before has only `rested`.
    pub fn was_paused(self) -> bool {
        self.resumed || self.rested
    }
}

impl PausesView {
    pub(in crate::admin) fn new(
        pauses: Vec<store::Pause>,
        open: Vec<dispatch::OpenBreaker>,
    ) -> Self {
        let resting = open.iter().map(|breaker| RestingView {
            workbench: breaker.workbench.clone(),
            until: breaker.until,
        });
        Self {
            pauses: pauses.into_iter().map(PauseView::from).collect(),
            resting: resting.collect(),
            circuit_breakers: open.into_iter().map(BreakerView::from).collect(),
        }
    }

    /// The circuit breakers that are not closed. The answer of a gateway of the version before has only
    /// `resting`.
    pub fn breakers(&self) -> Vec<BreakerView> {
        if !self.circuit_breakers.is_empty() {
            return self.circuit_breakers.clone();
        }
        let view =
            |resting: &RestingView| BreakerView::new(resting.workbench.clone(), resting.until);
        self.resting.iter().map(view).collect()
    }
}

impl fmt::Display for Pausable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        store::Pausable::from(self.clone()).fmt(f)
    }
}

impl From<Pausable> for store::Pausable {
    fn from(what: Pausable) -> Self {
        match what {
            Pausable::All => Self::All,
            Pausable::Job(name) => Self::Job(name),
            Pausable::Route(name) => Self::Route(name),
            Pausable::Key(name) => Self::Key(name),
        }
    }
}

impl From<store::Pausable> for Pausable {
    fn from(what: store::Pausable) -> Self {
        match what {
            store::Pausable::All => Self::All,
            store::Pausable::Job(name) => Self::Job(name),
            store::Pausable::Route(name) => Self::Route(name),
            store::Pausable::Key(name) => Self::Key(name),
        }
    }
}

impl From<store::Pause> for PauseView {
    fn from(pause: store::Pause) -> Self {
        Self { what: pause.what.into(), since: pause.since, who: pause.who, note: pause.note }
    }
}

impl BreakerView {
    fn new(workbench: String, until: Option<Timestamp>) -> Self {
        let state = match until {
            Some(_) => BreakerState::Open,
            None => BreakerState::HalfOpen,
        };
        Self { workbench, state, until }
    }
}

impl From<dispatch::OpenBreaker> for BreakerView {
    fn from(breaker: dispatch::OpenBreaker) -> Self {
        Self::new(breaker.workbench, breaker.until)
    }
}
