//! A run's row as the rules read and write it: what blocks its start, and what a change of state writes.

use jiff::Timestamp;

use crate::model::run::{Change, UnlawfulChange, after};
use crate::model::{DeliveryId, RunId, RunState};
use crate::store::Next;

/// What blocks a run from being taken, besides pauses of its job, its key or everything. Stored as a number,
/// so that an index finds the runs that nothing blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Against {
    /// Nothing.
    Nothing,
    /// It is not due yet.
    Time,
    /// Its route is paused.
    RoutePaused,
}

impl Against {
    /// The number that is stored.
    pub(in crate::store) fn code(self) -> i64 {
        match self {
            Self::Nothing => 0,
            Self::Time => 1,
            Self::RoutePaused => 2,
        }
    }
}

/// What blocks a run's start while its route is not paused, and what while it is. The statement that writes
/// the row checks whether the route is paused, so that a pause and a new run cannot miss each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) struct Standing {
    /// While its route is not paused.
    pub(in crate::store) free: Against,
    /// While its route is paused.
    pub(in crate::store) paused: Against,
}

impl Standing {
    /// For a run in this state that is due at `due_at`.
    pub(in crate::store) fn of(state: RunState, due_at: Timestamp, now: Timestamp) -> Self {
        let both = |against| Self { free: against, paused: against };
        match state {
            RunState::Waiting => both(Against::Time),
            RunState::Queued if due_at > now => both(Against::Time),
            RunState::Queued => Self { free: Against::Nothing, paused: Against::RoutePaused },
            _ => both(Against::Nothing),
        }
    }
}

/// What the rules know about a kept run. The variables are left out, since a process of role `ingest` may not
/// read them.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::store) struct RunRow {
    /// Its place in the order of acceptance.
    pub(in crate::store) seq: i64,
    /// Its id.
    pub(in crate::store) id: RunId,
    /// Its delivery.
    pub(in crate::store) delivery: DeliveryId,
    /// Its route.
    pub(in crate::store) route: String,
    /// Its job.
    pub(in crate::store) job: String,
    /// Which event of the delivery it stands for.
    pub(in crate::store) part: u32,
    /// Its state.
    pub(in crate::store) state: RunState,
    /// Why it is in this state.
    pub(in crate::store) reason: Option<String>,
    /// Whether it has variables: false when its mapping failed.
    pub(in crate::store) mapped: bool,
    /// How many attempts there were.
    pub(in crate::store) attempts: u32,
    /// When its delivery was accepted.
    pub(in crate::store) accepted_at: Timestamp,
    /// When it is next due.
    pub(in crate::store) due_at: Timestamp,
    /// After this moment it is no longer worth starting.
    pub(in crate::store) deadline: Timestamp,
    /// The text of `latest_per`: a run supersedes unsent runs of its route with the same text.
    pub(in crate::store) latest_per: Option<String>,
    /// The burst that it belongs to: the `seq` of one run of the burst.
    pub(in crate::store) burst: i64,
    /// When the first run of its burst was accepted.
    pub(in crate::store) burst_at: Timestamp,
    /// How many runs it stands for, itself included.
    pub(in crate::store) stands_for: i64,
}

/// An update of a run: the state that it must have before, and the columns that change. `None` leaves a
/// column as it is, except for the reason and the engine, which belong to the state.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::store) struct Moved {
    /// The state that the run must have, or nothing is written.
    pub(in crate::store) expected: RunState,
    /// Its new state.
    pub(in crate::store) state: RunState,
    /// Why it is in the new state.
    pub(in crate::store) reason: Option<String>,
    /// The engine that runs it.
    pub(in crate::store) engine_id: Option<String>,
    /// When its state changed.
    pub(in crate::store) changed_at: Option<Timestamp>,
    /// What blocks its start.
    pub(in crate::store) standing: Standing,
    /// When it is due.
    pub(in crate::store) due_at: Option<Timestamp>,
    /// A new deadline.
    pub(in crate::store) deadline: Option<Timestamp>,
    /// New variables, as JSON.
    pub(in crate::store) environment: Option<String>,
    /// The burst that it joins.
    pub(in crate::store) burst: Option<i64>,
    /// When the first run of that burst was accepted.
    pub(in crate::store) burst_at: Option<Timestamp>,
    /// How many runs it stands for, itself included.
    pub(in crate::store) stands_for: Option<i64>,
    /// True once a person has released it, so that the brake does not hold it again.
    pub(in crate::store) passed: Option<bool>,
}

impl Moved {
    /// Keeps the state and the reason, and computes again what blocks the start: the run may be due now, and
    /// its route may have been paused or resumed.
    pub(in crate::store) fn kept(run: &RunRow, now: Timestamp) -> Self {
        Self {
            reason: run.reason.clone(),
            ..Self::to(run.state, run.state, Standing::of(run.state, run.due_at, now))
        }
    }

    /// Keeps a queued run in the queue until `at`, with the reason.
    pub(in crate::store) fn queued_until(at: Timestamp, reason: String, now: Timestamp) -> Self {
        let queued = RunState::Queued;
        Self {
            reason: Some(reason),
            due_at: Some(at),
            ..Self::to(queued, queued, Standing::of(queued, at, now))
        }
    }

    fn to(expected: RunState, state: RunState, standing: Standing) -> Self {
        Self {
            expected,
            state,
            reason: None,
            engine_id: None,
            changed_at: None,
            standing,
            due_at: None,
            deadline: None,
            environment: None,
            burst: None,
            burst_at: None,
            stands_for: None,
            passed: None,
        }
    }
}

/// The update that a change of state writes.
///
/// # Errors
/// [`UnlawfulChange`] where the run's state does not allow it.
pub(in crate::store) fn moved(
    state: RunState,
    change: Change,
    now: Timestamp,
) -> Result<Moved, UnlawfulChange> {
    let next = after(state, &change)?;
    let due_at = match &change {
        Change::Retry { at, .. } | Change::Requeue { at } => Some(*at),
        _ => None,
    };
    // A change that queues the run without a time makes it due now.
    let standing = Standing::of(next, due_at.unwrap_or(now), now);
    let mut row = Moved { due_at, changed_at: Some(now), ..Moved::to(state, next, standing) };
    match change {
        Change::Retry { reason, .. } | Change::Hold { reason } | Change::Fail { reason } => {
            row.reason = Some(reason);
        }
        Change::Cancel { who } => row.reason = Some(format!("cancelled by {who}")),
        Change::Started { engine_id } => row.engine_id = Some(engine_id),
        Change::Supersede => row.reason = Some("a newer run of its kind took its place".to_owned()),
        Change::Due | Change::Lease | Change::Requeue { .. } => {}
    }
    Ok(row)
}

/// The change that follows an attempt.
pub(in crate::store) fn change_of(next: &Next) -> Change {
    match next.clone() {
        Next::Started { engine_id } => Change::Started { engine_id },
        Next::Retry { at, reason } => Change::Retry { at, reason },
        Next::Hold { reason } => Change::Hold { reason },
        Next::Fail { reason } => Change::Fail { reason },
    }
}

/// Makes a run that has fallen due ready to be sent, and queues it where it was waiting. Its reason stays,
/// since it describes the last attempt.
///
/// # Errors
/// [`UnlawfulChange`] where it is neither waiting nor queued.
pub(in crate::store) fn fallen_due(run: &RunRow, now: Timestamp) -> Result<Moved, UnlawfulChange> {
    let row = match run.state {
        RunState::Queued => Moved::kept(run, now),
        state => moved(state, Change::Due, now)?,
    };
    Ok(Moved { reason: run.reason.clone(), ..row })
}

/// Fails a run whose deadline has passed. `waited` says what its job waited for, and becomes a part of the
/// reason.
///
/// # Errors
/// [`UnlawfulChange`] where the run's state does not allow it.
pub(in crate::store) fn overdue(
    run: &RunRow,
    waited: Option<&str>,
    now: Timestamp,
) -> Result<Moved, UnlawfulChange> {
    let mut reason =
        "its time was over before it could be started (deadline or max_age of its job)".to_owned();
    if let Some(last) = &run.reason {
        reason.push_str("; last: ");
        reason.push_str(last);
    }
    if let Some(waited) = waited {
        reason.push_str("; it waited: ");
        reason.push_str(waited);
    }
    moved(run.state, Change::Fail { reason }, now)
}

/// Holds a run that waited while its job was paused, for a job with `on_resume: review`.
///
/// # Errors
/// [`UnlawfulChange`] where it is not queued.
pub(in crate::store) fn reviewed(state: RunState, now: Timestamp) -> Result<Moved, UnlawfulChange> {
    let reason = "it waited while its job was paused (on_resume: review); release it, or cancel it";
    moved(state, Change::Hold { reason: reason.to_owned() }, now)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::later;

    #[test]
    fn only_what_is_queued_and_due_can_be_kept_back_by_a_pause() {
        let now = Timestamp::UNIX_EPOCH;
        let soon = later(now, Duration::from_millis(1));
        for state in RunState::ALL {
            for due_at in [now, soon] {
                let Standing { free, paused } = Standing::of(state, due_at, now);
                let is_free =
                    state != RunState::Waiting && (state != RunState::Queued || due_at == now);
                assert_eq!(free == Against::Nothing, is_free, "{state}");
                let kept_back = state == RunState::Queued && due_at == now;
                assert_eq!(paused == Against::RoutePaused, kept_back, "{state}");
            }
        }
    }

    #[test]
    fn a_row_has_an_engine_where_it_is_started_and_only_there() {
        let now = Timestamp::UNIX_EPOCH;
        let changes = || {
            [
                Change::Due,
                Change::Started { engine_id: "e".to_owned() },
                Change::Retry { at: now, reason: "busy".to_owned() },
                Change::Hold { reason: "who knows".to_owned() },
                Change::Fail { reason: "no".to_owned() },
                Change::Requeue { at: now },
                Change::Supersede,
                Change::Cancel { who: "ops".to_owned() },
            ]
        };
        for state in RunState::ALL {
            for change in changes() {
                if let Ok(row) = moved(state, change, now) {
                    assert_eq!(row.state == RunState::Started, row.engine_id.is_some());
                    assert_eq!(row.expected, state);
                }
            }
        }
    }
}
