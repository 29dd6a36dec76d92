//! Rate limits of a job: how many of its runs may be taken now, and which of them the brake
//! (`starts_per_hour`) holds.

use std::time::Duration;

use jiff::Timestamp;

use super::run::{Moved, moved};
use crate::clock::later;
use crate::model::run::{Change, UnlawfulChange};
use crate::model::{RunState, pace};
use crate::store::{Lease, Permit};

/// The window of `starts_per_minute` and of the pace of a backlog.
pub(in crate::store) const MINUTE: Duration = Duration::from_secs(60);
/// The window of `starts_per_hour`; starts before it are forgotten.
pub(in crate::store) const HOUR: Duration = Duration::from_secs(3600);

/// What a store knows about a job.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::store) struct JobFacts {
    /// Its starts that are in flight, over all processes.
    pub(in crate::store) on_the_wire: usize,
    /// Whether a backlog is being released at a pace.
    pub(in crate::store) has_backlog: bool,
    /// How many runs that backlog had when its release began.
    pub(in crate::store) backlog_size: u64,
    /// Whether a run of that backlog may still be sent.
    pub(in crate::store) backlog_waits: bool,
    /// Starts in the last minute. A start that lies after now, since the clock was set back, counts as made
    /// now: no start is forgotten, and none counts for longer than its window.
    pub(in crate::store) in_a_minute: usize,
    /// When the first of them was made.
    pub(in crate::store) oldest: Option<Timestamp>,
    /// First attempts in the last hour.
    pub(in crate::store) firsts_in_an_hour: usize,
    /// Recorded starts that lie before the longest window, or after now.
    pub(in crate::store) stale: usize,
}

/// What the limits of a job leave room for now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::store) struct Room {
    /// Number of starts.
    pub(in crate::store) starts: usize,
    /// Number of runs until the brake holds the others; `None` where the job has no brake.
    pub(in crate::store) until_brake: Option<usize>,
    /// When the next start is allowed, where the limit per minute allows none now.
    pub(in crate::store) again_at: Option<Timestamp>,
    /// Whether its starts are recorded.
    pub(in crate::store) counted: bool,
    /// Whether the paced release of its backlog has ended.
    pub(in crate::store) backlog_is_over: bool,
}

/// What the permit and the limits of a job leave room for now.
pub(in crate::store) fn room(permit: &Permit, facts: &JobFacts) -> Room {
    let paced = facts.has_backlog && facts.backlog_waits;
    let pace = paced.then(|| pace(permit.backlog_per_minute, facts.backlog_size));
    let per_minute = [permit.per_minute, pace].into_iter().flatten().min();
    let mut starts = permit.count.min(permit.at_once.saturating_sub(facts.on_the_wire));
    let mut again_at = None;
    if let Some(most) = per_minute {
        let left = (most as usize).saturating_sub(facts.in_a_minute);
        if left == 0 {
            again_at = facts.oldest.map(|oldest| later(oldest, MINUTE));
        }
        starts = starts.min(left);
    }
    let until_brake =
        permit.per_hour.map(|most| (most as usize).saturating_sub(facts.firsts_in_an_hour));
    Room {
        starts,
        until_brake,
        again_at,
        counted: per_minute.is_some() || permit.per_hour.is_some(),
        backlog_is_over: facts.has_backlog && !paced,
    }
}

/// A run that may be sent.
#[derive(Debug)]
pub(in crate::store) struct Ready {
    /// Its place in the order of acceptance.
    pub(in crate::store) seq: i64,
    /// Whether a person has released it.
    pub(in crate::store) passed: bool,
    /// When its state changed, as the process said that changed it.
    pub(in crate::store) changed_at: Timestamp,
    /// Why its variables are not those of the row; `None` where they are.
    pub(in crate::store) unreadable: Option<&'static str>,
    /// The lease of its next attempt; its number is still that of the previous attempt.
    pub(in crate::store) lease: Lease,
}

impl Ready {
    /// Whether the brake can hold it: not a run that has had an attempt, or that a person has released.
    fn counts_for_the_brake(&self) -> bool {
        self.lease.attempt == 0 && !self.passed
    }

    /// Whether the brake lets it through as the next run of its job.
    pub(in crate::store) fn passes(&self, room: &Room) -> bool {
        !self.counts_for_the_brake() || room.until_brake != Some(0)
    }
}

/// The runs whose attempts begin, with their attempt numbers increased; and whether the brake stopped the
/// others.
pub(in crate::store) fn begun(
    found: Vec<Ready>,
    most: usize,
    room: &Room,
    trial: bool,
) -> (Vec<Ready>, bool) {
    let mut until_brake = room.until_brake;
    let mut begun = Vec::new();
    for mut run in found.into_iter().take(most) {
        if run.counts_for_the_brake() {
            if until_brake == Some(0) {
                return (begun, true);
            }
            until_brake = until_brake.map(|left| left.saturating_sub(1));
        }
        run.lease.attempt = run.lease.attempt.saturating_add(1);
        run.lease.trial = trial;
        begun.push(run);
    }
    (begun, false)
}

/// What the brake changes in a run: it is held.
///
/// # Errors
/// [`UnlawfulChange`] where it is not queued.
pub(in crate::store) fn braked(
    state: RunState,
    per_hour: Option<u32>,
    now: Timestamp,
) -> Result<Moved, UnlawfulChange> {
    let reason = format!(
        "the brake: its job has had {} runs within an hour (starts_per_hour); see whether that is \
         meant, then release it or cancel it",
        per_hour.unwrap_or(0)
    );
    moved(state, Change::Hold { reason }, now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permit() -> Permit {
        Permit {
            job: "train".into(),
            count: 5,
            at_once: 8,
            key: None,
            declared: "train 0".into(),
            lease: MINUTE,
            per_minute: None,
            per_hour: None,
            backlog_per_minute: Some(2),
            trial: None,
            env_max: 64 * 1024,
        }
    }

    #[test]
    fn a_job_without_limits_over_time_is_bounded_by_what_is_on_the_wire_alone() {
        let left =
            room(&permit(), &JobFacts { on_the_wire: 6, in_a_minute: 99, ..JobFacts::default() });
        assert_eq!((left.starts, left.until_brake, left.counted), (2, None, false));
    }

    #[test]
    fn a_backlog_is_paced_while_a_run_of_it_waits_and_no_longer() {
        let waits = JobFacts { has_backlog: true, backlog_waits: true, ..JobFacts::default() };
        let left = room(&permit(), &waits);
        assert_eq!((left.starts, left.counted, left.backlog_is_over), (2, true, false));
        let left = room(&permit(), &JobFacts { backlog_waits: false, ..waits });
        assert_eq!((left.starts, left.counted, left.backlog_is_over), (5, false, true));
    }

    #[test]
    fn a_backlog_whose_job_names_no_pace_is_released_by_its_size() {
        let permit = Permit { backlog_per_minute: None, count: 999, at_once: 999, ..permit() };
        let waits = JobFacts { has_backlog: true, backlog_waits: true, ..JobFacts::default() };
        for (size, starts) in [(0, 10), (500, 10), (4_001, 81)] {
            let facts = JobFacts { backlog_size: size, ..waits };
            assert_eq!(room(&permit, &facts).starts, starts, "{size}");
        }
        let capped = Permit { per_minute: Some(7), ..permit };
        assert_eq!(room(&capped, &JobFacts { backlog_size: 4_001, ..waits }).starts, 7);
    }

    #[test]
    fn a_full_minute_says_when_it_has_room_again() {
        let at = Timestamp::UNIX_EPOCH;
        let facts = JobFacts { in_a_minute: 3, oldest: Some(at), ..JobFacts::default() };
        let left = room(&Permit { per_minute: Some(3), ..permit() }, &facts);
        assert_eq!((left.starts, left.again_at), (0, Some(later(at, MINUTE))));
    }
}
