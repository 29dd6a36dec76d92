//! Runs that the configuration does not ask for: they wait for a short while, since another process may have
//! loaded a newer configuration a moment earlier, and are then held.

use std::time::Duration;

use jiff::Timestamp;

use super::limits::Ready;
use super::run::{Moved, moved};
use crate::clock::{between, later};
use crate::model::RunState;
use crate::model::run::{Change, UnlawfulChange};
use crate::store::{Asks, NotAsked};

/// How long a run waits for a configuration that asks for it, from its last change on. Processes that are
/// given a new configuration together load it well within this time.
const PATIENCE: Duration = Duration::from_secs(60);
/// The first look comes after this time, and each later one when the run is twice as old.
const FIRST_LOOK: Duration = Duration::from_secs(2);
/// The longest time between two looks.
const LONGEST_LOOK: Duration = Duration::from_secs(20);

/// Splits runs into those that may be sent and the rows of the others.
#[derive(Debug, Default)]
pub(in crate::store) struct Sorted {
    /// The configuration asks for them.
    pub(in crate::store) asked: Vec<Ready>,
    /// Changed rows of the others, by their `seq`.
    pub(in crate::store) rows: Vec<(i64, Moved)>,
    /// How many of those are held.
    pub(in crate::store) held: usize,
}

/// Holds runs against a configuration. `in_force` says whether it is the newest one that a process runs.
///
/// # Errors
/// [`UnlawfulChange`] where one of them is not queued.
pub(in crate::store) fn sorted(
    runs: Vec<Ready>,
    plan: &dyn Asks,
    in_force: bool,
    now: Timestamp,
) -> Result<Sorted, UnlawfulChange> {
    let mut sorted = Sorted::default();
    for run in runs {
        let asked = match run.unreadable {
            Some(why) => Err(NotAsked::anywhere(why)),
            None => plan.asks_for(&run.lease),
        };
        match asked {
            Ok(()) => sorted.asked.push(run),
            Err(why) => {
                let row = refused(&run, &why, in_force, now)?;
                sorted.held += usize::from(row.state == RunState::Held);
                sorted.rows.push((run.seq, row));
            }
        }
    }
    Ok(sorted)
}

/// What becomes of a queued run that the configuration does not ask for.
///
/// # Errors
/// [`UnlawfulChange`] where it is not queued.
fn refused(
    run: &Ready,
    why: &NotAsked,
    in_force: bool,
    now: Timestamp,
) -> Result<Moved, UnlawfulChange> {
    let NotAsked { reason, may_change } = why;
    let age = between(run.changed_at, now);
    // A time of change that lies further ahead than clocks differ is not believed.
    let is_young = age < PATIENCE && run.changed_at <= later(now, PATIENCE);
    // Where a newer configuration is in force, a process that runs it decides.
    if *may_change && (!in_force || (is_young && !run.passed)) {
        let at = later(now, age.clamp(FIRST_LOOK, LONGEST_LOOK));
        let reason = format!("waits for a configuration that asks for it: {reason}");
        return Ok(Moved::queued_until(at, reason, now));
    }
    let reason = format!(
        "the configuration does not ask for it: {reason}; cancel it, or mend the route and replay its \
         delivery"
    );
    moved(RunState::Queued, Change::Hold { reason }, now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{DeliveryId, Environment, RunId};
    use crate::store::Lease;

    fn run(changed_at: Timestamp, passed: bool) -> Ready {
        let at = Timestamp::UNIX_EPOCH;
        Ready {
            seq: 1,
            passed,
            changed_at,
            unreadable: None,
            lease: Lease {
                run: RunId::new(at, 1),
                delivery: DeliveryId::new(at, 1),
                route: "r".into(),
                job: "j".into(),
                environment: Environment::default(),
                attempt: 0,
                begun_at: at,
                asked_at: at,
                accepted_at: at,
                deadline: Timestamp::MAX,
                trial: false,
            },
        }
    }

    fn seconds(seconds: u64) -> Timestamp {
        later(Timestamp::UNIX_EPOCH, Duration::from_secs(seconds))
    }

    #[test]
    fn a_run_waits_a_minute_for_a_configuration_that_asks_for_it_and_is_then_held() {
        let why = NotAsked::here("there is no such route");
        let mut now = seconds(1000);
        let run = run(now, false);
        let mut looks = 0;
        let held = loop {
            let row = refused(&run, &why, true, now).expect("it is queued");
            let Some(due) = row.due_at else { break row };
            assert_eq!((row.state, due > now), (RunState::Queued, true));
            (now, looks) = (due, looks + 1);
        };
        assert_eq!(held.state, RunState::Held);
        assert!(now >= seconds(1060) && now <= seconds(1080), "{now}");
        assert!(looks <= 8, "{looks} looks");
        assert!(held.reason.expect("a reason").contains("there is no such route"));
    }

    #[test]
    fn what_no_configuration_asks_for_or_a_person_released_is_held_at_once() {
        let now = seconds(1000);
        let never = NotAsked::anywhere("its variables cannot be read");
        let held = |run: &Ready, why| refused(run, why, true, now).expect("queued").state;
        assert_eq!(held(&run(now, false), &never), RunState::Held);
        let here = NotAsked::here("there is no such route");
        assert_eq!(held(&run(now, true), &here), RunState::Held);
        assert_eq!(held(&run(now, false), &here), RunState::Queued);
    }

    #[test]
    fn a_time_of_change_in_the_future_makes_no_run_wait_for_longer() {
        let now = seconds(1000);
        let here = NotAsked::here("there is no such route");
        for ahead in [seconds(1061), seconds(1_000_000), Timestamp::MAX] {
            let row = refused(&run(ahead, false), &here, true, now).expect("queued");
            assert_eq!(row.state, RunState::Held, "{ahead}");
        }
        let row = refused(&run(seconds(1059), false), &here, true, now).expect("queued");
        assert_eq!(row.state, RunState::Queued, "clocks may differ a little");
    }

    #[test]
    fn a_process_with_an_older_configuration_holds_nothing_that_a_newer_one_may_ask_for() {
        let now = seconds(100_000);
        let here = NotAsked::here("there is no such route");
        let row = refused(&run(seconds(0), false), &here, false, now).expect("queued");
        assert_eq!((row.state, row.due_at), (RunState::Queued, Some(later(now, LONGEST_LOOK))));
    }
}
