//! Runs that the configuration does not ask for: they are held. Where other processes share the store, they wait
//! for a short while first, since another one may have loaded a newer configuration a moment earlier. Where files
//! are held back for their faults, they wait until these are mended, or until their deadline.

use std::time::Duration;

use jiff::Timestamp;

use super::limits::Ready;
use super::run::{Moved, moved};
use crate::clock::{between, later};
use crate::model::RunState;
use crate::model::run::{Change, UnlawfulChange};
use crate::store::{Asks, NotAsked, Until};

/// How long a run waits for a configuration that asks for it, from its last change on. Processes that are
/// given a new configuration together load it well within this time.
const PATIENCE: Duration = Duration::from_secs(60);
/// The first look comes after this time, and each later one when the run is twice as old.
const FIRST_LOOK: Duration = Duration::from_secs(2);
/// The longest time between two looks.
const LONGEST_LOOK: Duration = Duration::from_secs(20);

/// What the other processes that share the store run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Others {
    /// There are none: the store belongs to one process.
    None,
    /// No newer configuration than this process.
    NothingNewer,
    /// A newer configuration.
    Newer,
}

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

/// Holds runs against a configuration.
///
/// # Errors
/// [`UnlawfulChange`] where one of them is not queued.
pub(in crate::store) fn sorted(
    runs: Vec<Ready>,
    plan: &dyn Asks,
    others: Others,
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
                let row = refused(&run, &why, others, now)?;
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
    others: Others,
    now: Timestamp,
) -> Result<Moved, UnlawfulChange> {
    let NotAsked { reason, until } = why;
    let age = between(run.changed_at, now);
    // A time of change that lies further ahead than clocks differ is not believed.
    let is_young = age < PATIENCE && run.changed_at <= later(now, PATIENCE);
    let waits_for = match (until, others) {
        (Until::Mended, _) => Some("until faulty files are mended"),
        // A process that runs the newer configuration decides.
        (Until::Changed, Others::Newer) => Some("for a configuration that asks for it"),
        (Until::Changed, Others::NothingNewer) if is_young && !run.passed => {
            Some("for a configuration that asks for it")
        }
        (Until::Changed | Until::Never, _) => None,
    };
    if let Some(what) = waits_for {
        let at = later(now, age.clamp(FIRST_LOOK, LONGEST_LOOK));
        return Ok(Moved::queued_until(at, format!("waits {what}: {reason}"), now));
    }
    moved(RunState::Queued, Change::Hold { reason: why.with_advice() }, now)
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
            let row = refused(&run, &why, Others::NothingNewer, now).expect("it is queued");
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
        let held =
            |run: &Ready, why| refused(run, why, Others::NothingNewer, now).expect("queued").state;
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
            let row =
                refused(&run(ahead, false), &here, Others::NothingNewer, now).expect("queued");
            assert_eq!(row.state, RunState::Held, "{ahead}");
        }
        let row =
            refused(&run(seconds(1059), false), &here, Others::NothingNewer, now).expect("queued");
        assert_eq!(row.state, RunState::Queued, "clocks may differ a little");
    }

    #[test]
    fn a_process_with_an_older_configuration_holds_nothing_that_a_newer_one_may_ask_for() {
        let now = seconds(100_000);
        let here = NotAsked::here("there is no such route");
        let row = refused(&run(seconds(0), false), &here, Others::Newer, now).expect("queued");
        assert_eq!((row.state, row.due_at), (RunState::Queued, Some(later(now, LONGEST_LOOK))));
    }

    #[test]
    fn where_no_other_process_shares_the_store_nothing_is_waited_for() {
        let now = seconds(1000);
        let here = NotAsked::here("there is no such route");
        let row = refused(&run(now, false), &here, Others::None, now).expect("queued");
        assert_eq!(row.state, RunState::Held);
        let reason = row.reason.expect("a reason");
        assert!(reason.contains("there is no such route; mend the route"), "{reason}");
    }

    #[test]
    fn a_run_whose_route_may_be_in_a_faulty_file_waits_for_as_long_as_the_file_is_faulty() {
        let back = NotAsked::held_back("routes.d/team.yaml is held back");
        for others in [Others::None, Others::NothingNewer, Others::Newer] {
            for (age, passed) in [(0, false), (100_000, false), (100_000, true)] {
                let now = seconds(1000 + age);
                let row = refused(&run(seconds(1000), passed), &back, others, now).expect("queued");
                assert_eq!(row.state, RunState::Queued);
                assert!(row.due_at > Some(now) && row.due_at <= Some(later(now, LONGEST_LOOK)));
                let reason = row.reason.expect("a reason");
                assert!(reason.starts_with("waits until faulty files are mended: "), "{reason}");
            }
        }
    }

    #[test]
    fn the_advice_of_a_held_run_names_no_act_that_would_hold_it_again() {
        let never = NotAsked::anywhere("its variables cannot be read").with_advice();
        assert!(!never.contains("release"), "{never}");
        assert!(never.contains("replay --again"), "{never}");
    }
}
