//! The queue: takes runs that are due, job by job in the order of the permits. Within a job, runs are taken
//! in the order of acceptance.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::unexpected;
use crate::clock::{earlier, later};
use crate::store::rules::asked::{Others, sorted};
use crate::store::rules::limits::{HOUR, Ready, Room, begun, braked, room};
use crate::store::rules::pauses::stands_against;
use crate::store::rules::run::{RunRow, fallen_due};
use crate::store::statements::{Begun, Seen, Statements};
use crate::store::tables::runs::Which;
use crate::store::{LeaseAsk, Leased, Permit, StoreFault};

/// Runs of a job that one look takes out at most, where the configuration asks for none of those in front.
const CLEARED: usize = 500;

impl Seen {
    /// Whether runs have fallen due that are still blocked until their time.
    pub(in crate::store) fn is_late(&self) -> bool {
        self.later.is_some_and(|later| later <= self.now)
    }

    /// The permits of jobs that have a run to send, are not paused and are allowed.
    pub(in crate::store) fn open<'a>(&self, ask: &'a LeaseAsk) -> Vec<&'a Permit> {
        let allowed =
            |permit: &&Permit| self.allowed.as_ref().is_none_or(|jobs| permit.is_among(jobs));
        ask.permits
            .iter()
            .filter(|permit| self.waiting.contains(&*permit.job))
            .filter(|permit| !stands_against(&self.pauses, permit))
            .filter(allowed)
            .collect()
    }

    /// The result of a look at the queue that takes nothing.
    pub(in crate::store) fn nothing(&self) -> Leased {
        Leased { next_due: self.later, ..Leased::default() }
    }
}

/// Makes runs that have fallen due ready to be taken.
pub(in crate::store) async fn promote(
    store: &impl Statements,
    now: Timestamp,
) -> Result<(), StoreFault> {
    let runs = store.runs(Which::FallenDue(now)).await?;
    let due = |run: &RunRow| Ok((run.seq, fallen_due(run, now)?));
    let rows: Vec<_> = runs.iter().map(due).collect::<Result<_, _>>().map_err(unexpected)?;
    store.write(&rows).await
}

/// Takes runs for these permits, and begins their attempts.
pub(in crate::store) async fn take(
    store: &impl Statements,
    ask: &LeaseAsk,
    seen: &Seen,
    permits: &[&Permit],
    told: Option<Timestamp>,
) -> Result<Leased, StoreFault> {
    let mut leased = seen.nothing();
    let (now, rooms) = rooms(store, permits, told).await?;
    let wanted: Vec<(&Permit, usize)> = permits
        .iter()
        .zip(&rooms)
        .map(|(permit, room)| (*permit, room.starts.min(ask.most)))
        .collect();
    let mut ready = store.ready(&wanted, now, ask.now).await?;
    let refused = only_asked(store, ask, seen.others, &wanted, &mut ready, now).await?;
    if !refused.is_empty() {
        // What stands behind them in the queue has its turn at once.
        leased.next_due = Some(now);
        leased.not_asked = refused.into_iter().filter(|(_, held)| *held > 0).collect();
    }
    let mut tried: HashSet<&str> = HashSet::new();
    let mut taken: Vec<Begun> = Vec::new();
    let mut braking: Vec<&Permit> = Vec::new();
    for (permit, room) in permits.iter().zip(&rooms) {
        if let Some(at) = room.again_at {
            leased.next_due = Some(leased.next_due.map_or(at, |due| due.min(at)));
            leased.limited.push((Arc::clone(&permit.job), at));
        }
        let found = ready.remove(&permit.job).unwrap_or_default();
        let mut left = ask.most.saturating_sub(taken.len());
        if let Some(workbench) = permit.trial.as_deref() {
            // All permits for one workbench together get one run.
            let may = left > 0
                && !tried.contains(workbench)
                && found.first().is_some_and(|run| run.passes(room))
                && store.claim_trial(workbench, permit, now).await?;
            if may {
                tried.insert(workbench);
            }
            left = usize::from(may);
        }
        let (begun, stands) = begun(found, left, room, permit.trial.is_some());
        let until = later(now, permit.lease);
        taken.extend(begun.into_iter().map(|run| Begun { run, until, counted: room.counted }));
        if stands {
            braking.push(permit);
        }
    }
    store.begin(&taken, now).await?;
    for permit in braking {
        brake(store, permit, now, &mut leased).await?;
    }
    leased.leases = taken.into_iter().map(|begun| begun.run.lease).collect();
    Ok(leased)
}

/// Takes the runs out of `ready` that the configuration does not ask for, and writes what becomes of them;
/// gives their jobs, each with how many are held. No attempt of them begins, and no limit counts them. Where a
/// job has only such runs in front, many more of them are taken out at once, so that they keep no other run of
/// it from being sent.
async fn only_asked(
    store: &impl Statements,
    ask: &LeaseAsk,
    others: Others,
    wanted: &[(&Permit, usize)],
    ready: &mut HashMap<Arc<str>, Vec<Ready>>,
    now: Timestamp,
) -> Result<BTreeMap<Arc<str>, usize>, StoreFault> {
    let mut refused = BTreeMap::new();
    take_out(store, ask, others, ready, &mut refused, now).await?;
    let is_left = |job: &str| ready.get(job).is_some_and(|runs| !runs.is_empty());
    let in_front: Vec<(&Permit, usize)> = wanted
        .iter()
        .filter(|(permit, _)| refused.contains_key(&permit.job) && !is_left(&permit.job))
        .map(|(permit, _)| (*permit, CLEARED))
        .collect();
    if !in_front.is_empty() {
        let mut behind = store.ready(&in_front, now, ask.now).await?;
        take_out(store, ask, others, &mut behind, &mut refused, now).await?;
        for (permit, most) in wanted {
            if let Some(mut runs) = behind.remove(&permit.job) {
                runs.truncate(*most);
                ready.insert(Arc::clone(&permit.job), runs);
            }
        }
    }
    Ok(refused)
}

async fn take_out(
    store: &impl Statements,
    ask: &LeaseAsk,
    others: Others,
    ready: &mut HashMap<Arc<str>, Vec<Ready>>,
    refused: &mut BTreeMap<Arc<str>, usize>,
    now: Timestamp,
) -> Result<(), StoreFault> {
    let mut rows = Vec::new();
    for (job, runs) in ready.iter_mut() {
        let found = std::mem::take(runs);
        let sorted = sorted(found, &*ask.plan, others, now).map_err(unexpected)?;
        *runs = sorted.asked;
        if !sorted.rows.is_empty() {
            rows.extend(sorted.rows);
            *refused.entry(Arc::clone(job)).or_default() += sorted.held;
        }
    }
    // All transactions write in ascending order, so that two of them cannot deadlock.
    rows.sort_unstable_by_key(|(seq, _)| *seq);
    store.write(&rows).await
}

/// What the limits of these jobs leave room for, and the time at which it was computed. It also ends finished
/// backlogs and deletes recorded starts that no longer count.
async fn rooms(
    store: &impl Statements,
    permits: &[&Permit],
    told: Option<Timestamp>,
) -> Result<(Timestamp, Vec<Room>), StoreFault> {
    let (now, facts) = store.jobs(permits, told).await?;
    let rooms: Vec<Room> =
        permits.iter().zip(&facts).map(|(permit, facts)| room(permit, facts)).collect();
    let of = |wanted: &dyn Fn(usize) -> bool| -> Vec<&str> {
        let places = permits.iter().enumerate().filter(|(place, _)| wanted(*place));
        places.map(|(_, permit)| &*permit.job).collect()
    };
    let over = of(&|place| rooms[place].backlog_is_over);
    if !over.is_empty() {
        store.end_backlogs(&over).await?;
    }
    let stale = of(&|place| facts[place].stale > 0);
    if !stale.is_empty() {
        store.forget_starts(&stale, earlier(now, HOUR), now).await?;
    }
    Ok((now, rooms))
}

/// Holds the runs of a job that exceed its brake, a bounded number at a time.
async fn brake(
    store: &impl Statements,
    permit: &Permit,
    now: Timestamp,
    leased: &mut Leased,
) -> Result<(), StoreFault> {
    let runs = store.runs(Which::Brakeable(&permit.job)).await?;
    let hold = |run: &RunRow| Ok((run.seq, braked(run.state, permit.per_hour, now)?));
    let rows: Vec<_> = runs.iter().map(hold).collect::<Result<_, _>>().map_err(unexpected)?;
    if !rows.is_empty() {
        store.write(&rows).await?;
        leased.held.push((Arc::clone(&permit.job), rows.len()));
        leased.next_due = Some(now);
    }
    Ok(())
}
