//! A run's row as the rules read and write it: what stands against its start, and what a change makes
//! of it.

use jiff::Timestamp;

use crate::model::run::{Change, UnlawfulChange, after};
use crate::model::{DeliveryId, RunId, RunState};
use crate::store::Next;

/// What keeps a run from being taken, beside pauses of its job, its key or everything. Kept as a number,
/// so that an index leads to the runs with nothing against them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Against {
    /// Nothing.
    Nothing,
    /// Its time has not come.
    Time,
    /// Its route is paused.
    RoutePaused,
}

impl Against {
    /// The number that is kept.
    pub(in crate::store) fn code(self) -> i64 {
        match self {
            Self::Nothing => 0,
            Self::Time => 1,
            Self::RoutePaused => 2,
        }
    }
}

/// What stands against a run's start while its route is not paused, and while it is. Whether it is
/// paused is seen by the statement that writes the row, so that the two cannot miss each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) struct Standing {
    /// While its route is not paused.
    pub(in crate::store) free: Against,
    /// While its route is paused.
    pub(in crate::store) paused: Against,
}

impl Standing {
    /// Of a run in this state that is due at this moment.
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

/// What the rules know of a kept run. Its variables are not among it: ingest may not read them.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::store) struct RunRow {
    /// Its place in the order of acceptance.
    pub(in crate::store) seq: i64,
    /// Its name.
    pub(in crate::store) id: RunId,
    /// Its delivery.
    pub(in crate::store) delivery: DeliveryId,
    /// Its route.
    pub(in crate::store) route: String,
    /// Its job.
    pub(in crate::store) job: String,
    /// Which event of the delivery it stands for.
    pub(in crate::store) part: u32,
    /// Where it stands.
    pub(in crate::store) state: RunState,
    /// Why it stands there.
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
    /// Runs of its route with the same text stand for each other.
    pub(in crate::store) latest_per: Option<String>,
    /// The first of the runs that it stands for, itself included.
    pub(in crate::store) burst: i64,
    /// When that one was accepted.
    pub(in crate::store) burst_at: Timestamp,
    /// How many runs it stands for, itself included.
    pub(in crate::store) stands_for: i64,
}

/// What is written of a run: the state that it must be found in, and the columns that change. `None`
/// leaves a column as it is, except for the reason and the engine, which belong to the state.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::store) struct Moved {
    /// The state that it must be found in, or nothing is written.
    pub(in crate::store) expected: RunState,
    /// The state that it is in then.
    pub(in crate::store) state: RunState,
    /// Why.
    pub(in crate::store) reason: Option<String>,
    /// The engine that runs it.
    pub(in crate::store) engine_id: Option<String>,
    /// When its state changed.
    pub(in crate::store) changed_at: Option<Timestamp>,
    /// What stands against its start.
    pub(in crate::store) standing: Standing,
    /// When it is due.
    pub(in crate::store) due_at: Option<Timestamp>,
    /// A new deadline.
    pub(in crate::store) deadline: Option<Timestamp>,
    /// New variables, as the JSON that is kept.
    pub(in crate::store) environment: Option<String>,
    /// The first of the runs that it stands for, or whose stand-in it shares.
    pub(in crate::store) burst: Option<i64>,
    /// When that one was accepted.
    pub(in crate::store) burst_at: Option<Timestamp>,
    /// How many runs it stands for.
    pub(in crate::store) stands_for: Option<i64>,
    /// True once a person has let it go, so that no brake holds it again.
    pub(in crate::store) passed: Option<bool>,
}

impl Moved {
    /// A row that keeps its state and says the same of it, with what stands against its start looked at
    /// again: its time may have come, and its route may be paused or resumed.
    pub(in crate::store) fn kept(run: &RunRow, now: Timestamp) -> Self {
        Self {
            reason: run.reason.clone(),
            ..Self::to(run.state, run.state, Standing::of(run.state, run.due_at, now))
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

/// What a change makes of a run.
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
    // A change that leads into the queue without saying when leads to its front.
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

/// What becomes of a run whose time has come: it is put into the queue, where it is not there yet. Its
/// reason stays: it tells what the last attempt met.
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

/// What becomes of a run whose deadline has passed. `waited` says what its job waited for.
///
/// # Errors
/// [`UnlawfulChange`] where it does not wait.
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

/// What becomes of a run that waited while its job was paused, where its job asks for a look then.
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
