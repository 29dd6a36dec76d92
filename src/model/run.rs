//! The states of a run and every transition between them that is allowed.
//!
//! Stores make only these transitions. Each of their updates names the state that it expects to find.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The state of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunState {
    /// Waits, since a newer run with the same `latest_per` key may supersede it.
    Waiting,
    /// In the queue: it is sent once its time has come.
    Queued,
    /// An attempt is stored, and its request may be in flight.
    Sending,
    /// The workbench named the engine that runs the job.
    Started,
    /// Waits for a person's decision.
    Held,
    /// Was not started, and will not be unless it is queued again.
    Failed,
    /// A newer run with the same `latest_per` key took its place before it was started.
    Superseded,
    /// A person cancelled it while it waited, was queued or was held.
    Cancelled,
}

impl RunState {
    /// Whether a replay queues a run in this state again.
    pub fn is_tried_again(self) -> bool {
        matches!(self, Self::Failed | Self::Cancelled)
    }

    /// All states, in the order in which they are shown.
    pub const ALL: [RunState; 8] = [
        Self::Waiting,
        Self::Queued,
        Self::Sending,
        Self::Started,
        Self::Held,
        Self::Failed,
        Self::Superseded,
        Self::Cancelled,
    ];

    /// The word used in SQL, logs, metrics and on screens.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Started => "started",
            Self::Held => "held",
            Self::Failed => "failed",
            Self::Superseded => "superseded",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether the run stays in this state unless a person or a redelivery asks for another try.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Started | Self::Failed | Self::Superseded | Self::Cancelled)
    }
}

impl fmt::Display for RunState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text that is not the name of a run state.
#[derive(Debug, PartialEq, Eq)]
pub struct UnknownState(pub String);

impl fmt::Display for UnknownState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = RunState::ALL.map(RunState::as_str).join(", ");
        write!(f, "`{}` is not a run state; the states are {known}", self.0)
    }
}

impl std::error::Error for UnknownState {}

impl FromStr for RunState {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| UnknownState(text.to_owned()))
    }
}

/// A change of a run, with its data.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Its time of waiting for newer runs is over.
    Due,
    /// A dispatcher takes it; its attempt is written in the same transaction.
    Lease,
    /// The workbench started it.
    Started {
        /// The id that the workbench gave the engine.
        engine_id: String,
    },
    /// It was not started, and is tried again.
    Retry {
        /// The earliest time of the next attempt.
        at: Timestamp,
        /// Why the last attempt did not start it.
        reason: String,
    },
    /// A person must decide what to do next.
    Hold {
        /// What the person needs to know.
        reason: String,
    },
    /// It was not started and will not be.
    Fail {
        /// Why, in words.
        reason: String,
    },
    /// A person, or a sender's redelivery, asks for another try.
    Requeue {
        /// The earliest time of the next attempt.
        at: Timestamp,
    },
    /// A newer run with the same `latest_per` key takes its place.
    Supersede,
    /// A person cancels it.
    Cancel {
        /// Who.
        who: String,
    },
}

/// A change that the run's state does not allow.
#[derive(Debug, PartialEq, Eq)]
pub struct UnlawfulChange {
    /// The state that the run is in.
    pub state: RunState,
    /// The change that was asked for, as a participle.
    pub asked: &'static str,
}

impl fmt::Display for UnlawfulChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a {} run cannot be {}", self.state, self.asked)
    }
}

impl std::error::Error for UnlawfulChange {}

impl Change {
    fn asked(&self) -> &'static str {
        match self {
            Self::Due => "called due",
            Self::Lease => "leased",
            Self::Started { .. } => "marked as started",
            Self::Retry { .. } => "tried again by itself",
            Self::Hold { .. } => "held",
            Self::Fail { .. } => "failed",
            Self::Requeue { .. } => "queued again",
            Self::Supersede => "superseded",
            Self::Cancel { .. } => "cancelled",
        }
    }
}

/// The state after a change.
///
/// # Errors
/// [`UnlawfulChange`] where the state does not allow the change.
pub fn after(state: RunState, change: &Change) -> Result<RunState, UnlawfulChange> {
    use RunState::{Cancelled, Failed, Held, Queued, Sending, Started, Superseded, Waiting};
    match (state, change) {
        (Waiting, Change::Due) => Ok(Queued),
        (Queued, Change::Lease) => Ok(Sending),
        (Sending | Held, Change::Started { .. }) => Ok(Started),
        (Sending, Change::Retry { .. }) => Ok(Queued),
        // A queued run is held by its job's brake or for a review. A run in flight is held when its outcome
        // is unknown. A run that is tried again is held when its route asks for a review.
        (Sending | Queued | Failed | Cancelled, Change::Hold { .. }) => Ok(Held),
        (Sending | Queued | Waiting | Held, Change::Fail { .. }) => Ok(Failed),
        (Held | Failed | Cancelled, Change::Requeue { .. }) => Ok(Queued),
        // A run in flight is never superseded or cancelled: nobody could say whether the job had started.
        (Waiting | Queued, Change::Supersede) => Ok(Superseded),
        (Waiting | Queued | Held, Change::Cancel { .. }) => Ok(Cancelled),
        _ => Err(UnlawfulChange { state, asked: change.asked() }),
    }
}

/// Whether some change leads from one state to the other. Each store enforces this with a database trigger,
/// so that no SQL statement can make another transition.
pub fn leads(from: RunState, to: RunState) -> bool {
    let at = Timestamp::UNIX_EPOCH;
    let none = String::new;
    let every = [
        Change::Due,
        Change::Lease,
        Change::Started { engine_id: none() },
        Change::Retry { at, reason: none() },
        Change::Hold { reason: none() },
        Change::Fail { reason: none() },
        Change::Requeue { at },
        Change::Supersede,
        Change::Cancel { who: none() },
    ];
    every.iter().any(|change| after(from, change) == Ok(to))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_change() -> impl Strategy<Value = Change> {
        let at = Timestamp::UNIX_EPOCH;
        prop_oneof![
            Just(Change::Lease),
            Just(Change::Started { engine_id: "e".to_owned() }),
            Just(Change::Retry { at, reason: String::new() }),
            Just(Change::Hold { reason: String::new() }),
            Just(Change::Fail { reason: String::new() }),
            Just(Change::Requeue { at }),
            Just(Change::Due),
            Just(Change::Supersede),
            Just(Change::Cancel { who: String::new() }),
        ]
    }

    proptest! {
        #[test]
        fn a_started_run_never_moves_again(changes in prop::collection::vec(any_change(), 1..40)) {
            let mut state = RunState::Waiting;
            let mut was_started = false;
            for change in &changes {
                match after(state, change) {
                    Ok(next) => {
                        prop_assert!(!was_started, "{change:?} moved a started run to {next}");
                        was_started = next == RunState::Started;
                        state = next;
                    }
                    Err(refused) => prop_assert_eq!(refused.state, state),
                }
            }
        }

        #[test]
        fn only_a_lease_leads_to_sending(changes in prop::collection::vec(any_change(), 1..40)) {
            let mut state = RunState::Queued;
            for change in &changes {
                if let Ok(next) = after(state, change) {
                    prop_assert_eq!(next == RunState::Sending, *change == Change::Lease);
                    state = next;
                }
            }
        }
    }

    #[test]
    fn what_is_on_the_wire_is_neither_superseded_nor_cancelled() {
        let cancel = Change::Cancel { who: "ops".to_owned() };
        for change in [Change::Supersede, cancel, Change::Due, Change::Lease] {
            assert!(after(RunState::Sending, &change).is_err(), "{change:?}");
        }
    }

    #[test]
    fn a_superseded_run_stays_so() {
        for change in [Change::Lease, Change::Requeue { at: Timestamp::UNIX_EPOCH }, Change::Due] {
            assert!(after(RunState::Superseded, &change).is_err(), "{change:?}");
        }
    }

    #[test]
    fn every_state_reads_back_from_its_word() {
        for state in RunState::ALL {
            assert_eq!(state.as_str().parse::<RunState>(), Ok(state));
        }
    }
}
