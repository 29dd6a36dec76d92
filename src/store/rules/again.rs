//! Another try: what a repeat, a replay or a person's decision changes in a run.

use jiff::Timestamp;

use super::new::{environment_json, parts};
use super::run::{Moved, RunRow, moved};
use crate::clock::{between, later};
use crate::model::RunState;
use crate::model::run::Change;
use crate::store::{Act, NewRun, NewRunState, Release, StoreFault};

/// Gives a run that failed or was cancelled another try, with newly computed variables. Where the mapping
/// failed again, only the reason changes.
///
/// # Errors
/// [`StoreFault::Unlawful`] where the run is in another state.
pub(in crate::store) fn tried_again(
    run: &RunRow,
    state: &NewRunState,
    deadline: Timestamp,
    now: Timestamp,
) -> Result<Moved, StoreFault> {
    let (_, environment, reason) = parts(state);
    let reason = reason.map(str::to_owned);
    let Some(environment) = environment else {
        return Ok(Moved { reason, changed_at: Some(now), ..Moved::kept(run, now) });
    };
    let change = match reason {
        Some(reason) => Change::Hold { reason },
        None => Change::Requeue { at: now },
    };
    let row =
        moved(run.state, change, now).map_err(|refused| StoreFault::unlawful(run.id, &refused))?;
    Ok(Moved {
        environment: Some(environment_json(environment)?),
        due_at: Some(now),
        deadline: Some(deadline),
        ..row
    })
}

/// Gives a failed run another try after its sender has repeated the delivery. The current routes give the
/// new variables. If the route is gone, no longer matches or leads to another job, the run keeps its variables;
/// `None` where it has none, and
/// where its variables cannot be computed any more.
///
/// # Errors
/// [`StoreFault::Unlawful`] where the run has not failed.
pub(in crate::store) fn repeated(
    run: &RunRow,
    today: &[NewRun],
    now: Timestamp,
) -> Result<Option<Moved>, StoreFault> {
    let is_it =
        |new: &&NewRun| *new.route == *run.route && new.part == run.part && *new.job == *run.job;
    if let Some(new) = today.iter().find(is_it) {
        // The reason that it has says what became of its attempts.
        if run.mapped && matches!(new.state, NewRunState::Failed(_)) {
            return Ok(None);
        }
        return tried_again(run, &new.state, new.deadline, now).map(Some);
    }
    if !run.mapped {
        return Ok(None);
    }
    let row = moved(run.state, Change::Requeue { at: now }, now)
        .map_err(|refused| StoreFault::unlawful(run.id, &refused))?;
    let patience = between(run.accepted_at, run.deadline);
    Ok(Some(Moved { deadline: Some(later(now, patience)), ..row }))
}

/// What a replay does about one route.
#[derive(Debug, PartialEq)]
pub(in crate::store) enum Replay {
    /// A new run.
    New,
    /// The kept run gets another try.
    Again(Box<Moved>),
    /// The kept run is left as it is.
    Left,
}

/// What a replay does about a route. `kept` is the newest run that the delivery already has for it. `again`
/// asks for a new run also where the kept one was started, is held or waits. Where the route leads to another job
/// by now, a run that failed or was cancelled stays as it is, and a new one starts the other job.
///
/// # Errors
/// [`StoreFault::Unavailable`] where variables cannot be written.
pub(in crate::store) fn replayed(
    kept: Option<&RunRow>,
    run: &NewRun,
    again: bool,
    now: Timestamp,
) -> Result<Replay, StoreFault> {
    match kept {
        Some(kept) if kept.state.is_tried_again() && *kept.job == *run.job => {
            tried_again(kept, &run.state, run.deadline, now).map(Box::new).map(Replay::Again)
        }
        Some(kept) if !kept.state.is_tried_again() && !again => Ok(Replay::Left),
        _ => Ok(Replay::New),
    }
}

/// How the API describes a run that was tried again and is in this state now.
pub(in crate::store) fn word_of(state: RunState) -> &'static str {
    match state {
        RunState::Queued => "queued again",
        RunState::Held => "held",
        RunState::Cancelled => "left as it is",
        _ => "failed again",
    }
}

/// What a person's decision changes in a held run, and the name of the act for the audit log. A failed run can
/// be queued again too: it keeps its variables.
///
/// # Errors
/// [`StoreFault::Unlawful`] where the run is in another state, or a failed one has no variables. This is
/// stricter than the state machine: a queued run needs no decision.
pub(in crate::store) fn released(
    run: &RunRow,
    release: &Release,
    act: &Act,
) -> Result<(Moved, &'static str), StoreFault> {
    if let Some(message) = not_released(run, release) {
        return Err(StoreFault::Unlawful { run: run.id, state: run.state, message });
    }
    let (change, word) = match release {
        Release::Retry { .. } => (Change::Requeue { at: act.at }, "release --retry"),
        Release::Started { engine_id } => {
            (Change::Started { engine_id: engine_id.clone() }, "release --started")
        }
        Release::Fail => {
            (Change::Fail { reason: format!("given up by {}", act.who) }, "release --fail")
        }
    };
    let mut row = moved(run.state, change, act.at)
        .map_err(|refused| StoreFault::unlawful(run.id, &refused))?;
    if let Release::Retry { deadline } = release {
        row.deadline = Some(*deadline);
        // A person has decided, so the brake does not hold it again.
        row.passed = Some(true);
    }
    Ok((row, word))
}

/// Why a person's decision does not fit the run, if it does not.
fn not_released(run: &RunRow, release: &Release) -> Option<String> {
    match (run.state, release) {
        (RunState::Held, _) => None,
        (RunState::Failed, Release::Retry { .. }) if run.mapped => None,
        (RunState::Failed, Release::Retry { .. }) => Some(format!(
            "it has no variables, since they could not be made; mend its route, and replay its delivery \
             ({})",
            run.delivery
        )),
        (state, _) => Some(format!(
            "it is {state}, and only a held run can be released, or a failed one with --retry"
        )),
    }
}

/// What erasing the content of its delivery changes in a run; `None` where the run has ended.
///
/// # Errors
/// [`StoreFault::Unlawful`] where the run is being sent: its variables are in use, and its outcome is not known.
pub(in crate::store) fn cancelled_to_erase(
    run: &RunRow,
    act: &Act,
) -> Result<Option<Moved>, StoreFault> {
    match run.state {
        RunState::Waiting | RunState::Queued | RunState::Held => cancelled(run, act).map(Some),
        RunState::Sending => {
            let message =
                "it is being sent; erase its delivery once the attempt has ended".to_owned();
            Err(StoreFault::Unlawful { run: run.id, state: run.state, message })
        }
        RunState::Started | RunState::Failed | RunState::Superseded | RunState::Cancelled => {
            Ok(None)
        }
    }
}

/// What a person's cancellation changes in a run.
///
/// # Errors
/// [`StoreFault::Unlawful`] where the run is being sent or has ended.
pub(in crate::store) fn cancelled(run: &RunRow, act: &Act) -> Result<Moved, StoreFault> {
    moved(run.state, Change::Cancel { who: act.who.clone() }, act.at)
        .map_err(|refused| StoreFault::unlawful(run.id, &refused))
}
