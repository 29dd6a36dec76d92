//! Makes the row of a new run.

use jiff::Timestamp;

use super::coalesce::Place;
use super::run::Standing;
use crate::clock::later;
use crate::model::{Environment, Latest, RunId, RunState};
use crate::store::{NewRun, NewRunState, StoreFault};

/// A new run, as it is written.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::store) struct NewRow<'r> {
    /// Its id.
    pub(in crate::store) id: RunId,
    /// Its route.
    pub(in crate::store) route: &'r str,
    /// Its job.
    pub(in crate::store) job: &'r str,
    /// Which event of the delivery it stands for.
    pub(in crate::store) part: u32,
    /// Its state.
    pub(in crate::store) state: RunState,
    /// Why it is in this state.
    pub(in crate::store) reason: Option<&'r str>,
    /// Its variables, as JSON; `None` when its mapping failed.
    pub(in crate::store) environment: Option<String>,
    /// When its delivery was accepted, or replayed.
    pub(in crate::store) accepted_at: Timestamp,
    /// When it is due.
    pub(in crate::store) due_at: Timestamp,
    /// After this moment it is no longer worth starting.
    pub(in crate::store) deadline: Timestamp,
    /// What blocks its start.
    pub(in crate::store) standing: Standing,
    /// The text of `latest_per`: a run supersedes unsent runs of its route with the same text.
    pub(in crate::store) latest_per: Option<&'r str>,
    /// The burst that it joins; `None` where it begins one of its own.
    pub(in crate::store) burst: Option<i64>,
    /// When the first run of its burst was accepted; `None` where its route has no `latest_per`.
    pub(in crate::store) burst_at: Option<Timestamp>,
    /// How many runs it stands for, itself included.
    pub(in crate::store) stands_for: i64,
}

/// The row of a run that is accepted now. `place` is what it takes over from the runs that it supersedes.
///
/// # Errors
/// [`StoreFault::Unavailable`] where its variables cannot be written as JSON.
pub(in crate::store) fn row<'r>(
    run: &'r NewRun,
    place: &Place,
    now: Timestamp,
) -> Result<NewRow<'r>, StoreFault> {
    let (mut state, environment, reason) = parts(&run.state);
    let due_at = match &run.latest {
        Some(latest) if state == RunState::Queued => due_at(latest, place.burst_at, now),
        _ => now,
    };
    if due_at > now {
        state = RunState::Waiting;
    }
    Ok(NewRow {
        id: run.id,
        route: &run.route,
        job: &run.job,
        part: run.part,
        state,
        reason,
        environment: environment.map(environment_json).transpose()?,
        accepted_at: now,
        due_at,
        deadline: run.deadline,
        standing: Standing::of(state, due_at, now),
        latest_per: run.latest.as_ref().map(|latest| &*latest.key),
        burst: place.burst,
        burst_at: run.latest.is_some().then_some(place.burst_at),
        stands_for: place.stands_for,
    })
}

/// The parts of a new run's state: the state itself, the variables and the reason.
pub(in crate::store) fn parts(
    state: &NewRunState,
) -> (RunState, Option<&Environment>, Option<&str>) {
    match state {
        NewRunState::Queued(environment) => (RunState::Queued, Some(environment), None),
        NewRunState::Held(environment, reason) => (RunState::Held, Some(environment), Some(reason)),
        NewRunState::Failed(reason) => (RunState::Failed, None, Some(reason)),
    }
}

/// When a run that is accepted now falls due: after `wait`, but at most `wait_at_most` after the first run of
/// its burst was accepted.
fn due_at(latest: &Latest, burst_at: Timestamp, now: Timestamp) -> Timestamp {
    later(now, latest.wait).min(later(burst_at, latest.wait_at_most)).max(now)
}

/// A run's variables as JSON, in the form that is stored.
///
/// # Errors
/// [`StoreFault::Unavailable`] where they cannot be written as JSON.
pub(in crate::store) fn environment_json(environment: &Environment) -> Result<String, StoreFault> {
    serde_json::to_string(environment)
        .map_err(|error| StoreFault::Unavailable(format!("variables cannot be written: {error}")))
}
