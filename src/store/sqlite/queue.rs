//! The queue of runs: taking those that are due, settling attempts.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::rows::{self, fault, millis};
use super::{latest, pauses, windows};
use crate::clock::later;
use crate::model::run::{Change, after};
use crate::model::{RunId, RunState};
use crate::store::StoreFault;
use crate::store::rules;
use crate::store::{Finish, KeyRefused, Lease, LeaseAsk, Leased, Pausable, Permit};

const LEASE_COLUMNS: &str = "runs.seq, runs.id, deliveries.id, runs.route, runs.job, \
    runs.environment, runs.attempts, runs.accepted_at, runs.deadline_at";

/// Runs failed for their deadline in one step.
const OVERDUE_STEP: usize = 500;

/// Runs whose wait is over that one look puts into the queue.
const PROMOTE_STEP: usize = 1000;
/// Runs that a brake holds in one look.
const BRAKE_STEP: usize = 500;

/// Takes what is due, job by job in the order of the permits, and begins its attempts. Within a job
/// the order is that of acceptance.
pub(super) fn lease_due(connection: &Connection, ask: &LeaseAsk) -> Result<Leased, StoreFault> {
    let promoted = promote(connection, ask.now).map_err(fault)?;
    let mut leased =
        Leased { next_due: next_later(connection).map_err(fault)?, ..Leased::default() };
    if promoted == PROMOTE_STEP {
        leased.next_due = Some(ask.now);
    }
    let resting = pauses::all(connection)?;
    if resting.iter().any(|pause| pause.what == Pausable::All) {
        return Ok(leased);
    }
    let rests = |job: &str| {
        resting.iter().any(|pause| matches!(&pause.what, Pausable::Job(name) if name == job))
    };
    let ready = ready_jobs(connection).map_err(fault)?;
    let mut tried: HashSet<&str> = HashSet::new();
    for permit in ask.permits.iter().filter(|permit| ready.contains(&*permit.job)) {
        let mut left = ask.most.saturating_sub(leased.leases.len());
        if let Some(trial) = &permit.trial {
            left = left.min(usize::from(!tried.contains(&**trial)));
        }
        if left > 0 && !rests(&permit.job) {
            let before = leased.leases.len();
            take(connection, permit, left, ask.now, &mut leased)?;
            if let Some(trial) = permit.trial.as_deref().filter(|_| leased.leases.len() > before) {
                tried.insert(trial);
            }
        }
    }
    Ok(leased)
}

/// Puts runs whose time has come into the queue.
fn promote(connection: &Connection, now: Timestamp) -> rusqlite::Result<usize> {
    connection
        .prepare_cached(
            "UPDATE runs SET state = 'queued', blocked = CASE WHEN EXISTS \
               (SELECT 1 FROM pauses WHERE kind = 'route' AND name = runs.route) THEN 2 ELSE 0 END \
             WHERE state IN ('waiting', 'queued') AND seq IN \
               (SELECT seq FROM runs WHERE blocked = 1 AND due_at <= ?1 \
                           ORDER BY due_at LIMIT ?2)",
        )?
        .execute(params![millis(now), PROMOTE_STEP])
}

fn next_later(connection: &Connection) -> rusqlite::Result<Option<Timestamp>> {
    connection
        .prepare_cached("SELECT due_at FROM runs WHERE blocked = 1 ORDER BY due_at LIMIT 1")?
        .query_row([], |row| rows::moment(row, 0))
        .optional()
}

/// Jobs with a run that may be sent, found by stepping through the index from one job to the next.
fn ready_jobs(connection: &Connection) -> rusqlite::Result<HashSet<String>> {
    let mut statement = connection.prepare_cached(
        "SELECT job, blocked FROM runs WHERE state = 'queued' AND job > ?1 \
         ORDER BY job, blocked LIMIT 1",
    )?;
    let mut jobs = HashSet::new();
    let mut after = String::new();
    loop {
        let next = statement
            .query_row([&after], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))
            .optional()?;
        let Some((job, blocked)) = next else { return Ok(jobs) };
        after.clone_from(&job);
        if blocked == 0 {
            jobs.insert(job);
        }
    }
}

fn take(
    connection: &Connection,
    permit: &Permit,
    left: usize,
    now: Timestamp,
    leased: &mut Leased,
) -> Result<(), StoreFault> {
    let room = windows::room(connection, permit, now)?;
    if let Some(at) = room.again_at.and_then(|at| Timestamp::from_millisecond(at).ok()) {
        leased.next_due = Some(leased.next_due.map_or(at, |due| due.min(at)));
        leased.limited.push((Arc::clone(&permit.job), at));
    }
    let mut until_brake = room.until_brake;
    let mut held = 0;
    for (seq, passed, mut lease) in
        ready(connection, &permit.job, room.starts.min(left), now).map_err(fault)?
    {
        lease.attempt += 1;
        lease.trial = permit.trial.is_some();
        // A run that has had an attempt, or that a person let go, is not held by the brake.
        let braked = lease.attempt == 1 && !passed && until_brake == Some(0);
        if braked {
            held = brake(connection, &permit.job, permit.per_hour.unwrap_or(0), now)?;
            break;
        }
        if lease.attempt == 1 && !passed {
            until_brake = until_brake.map(|left| left.saturating_sub(1));
        }
        begin(connection, seq, &lease, later(now, permit.lease)).map_err(fault)?;
        room.note(connection, &permit.job, lease.attempt, now).map_err(fault)?;
        leased.leases.push(lease);
    }
    if held > 0 {
        leased.held.push((Arc::clone(&permit.job), held));
        leased.next_due = Some(now);
    }
    room.settle(connection, &permit.job).map_err(fault)
}

/// Runs of a job that may be sent, oldest first.
fn ready(
    connection: &Connection,
    job: &str,
    most: usize,
    now: Timestamp,
) -> rusqlite::Result<Vec<(i64, bool, Lease)>> {
    connection
        .prepare_cached(&format!(
            "SELECT {LEASE_COLUMNS}, runs.passed FROM runs \
             JOIN deliveries ON deliveries.seq = runs.delivery \
             WHERE runs.state = 'queued' AND runs.job = ?1 AND runs.blocked = 0 \
               AND runs.deadline_at > ?2 ORDER BY runs.seq LIMIT ?3"
        ))?
        .query_map(params![job, millis(now), i64::try_from(most).unwrap_or(i64::MAX)], |row| {
            let passed = row.get(9)?;
            lease(row, now).map(|(seq, lease)| (seq, passed, lease))
        })?
        .collect()
}

/// Holds the runs of a job that would go over its brake.
fn brake(
    connection: &Connection,
    job: &str,
    per_hour: u32,
    now: Timestamp,
) -> Result<usize, StoreFault> {
    let reason = rules::braked(Some(per_hour));
    after(RunState::Queued, &Change::Hold { reason: reason.clone() })
        .map_err(|refused| StoreFault::Unusable(refused.to_string()))?;
    connection
        .prepare_cached(
            "UPDATE runs SET state = 'held', reason = ?2, changed_at = ?3 WHERE seq IN \
             (SELECT seq FROM runs WHERE state = 'queued' AND job = ?1 AND blocked = 0 \
                AND attempts = 0 AND passed = 0 ORDER BY seq LIMIT ?4)",
        )
        .and_then(|mut statement| statement.execute(params![job, reason, millis(now), BRAKE_STEP]))
        .map_err(fault)
}

fn lease(row: &Row<'_>, begun_at: Timestamp) -> rusqlite::Result<(i64, Lease)> {
    Ok((
        row.get(0)?,
        Lease {
            run: rows::run_id(row, 1)?,
            delivery: rows::delivery_id(row, 2)?,
            route: row.get::<_, String>(3)?.into(),
            job: row.get::<_, String>(4)?.into(),
            environment: rows::json(row, 5)?,
            attempt: row.get(6)?,
            begun_at,
            asked_at: begun_at,
            accepted_at: rows::moment(row, 7)?,
            deadline: rows::moment(row, 8)?,
            trial: false,
        },
    ))
}

fn begin(
    connection: &Connection,
    seq: i64,
    lease: &Lease,
    until: Timestamp,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE runs SET state = 'sending', reason = NULL, attempts = ?2, lease_until = ?3, \
             changed_at = ?4 WHERE seq = ?1 AND state = 'queued'",
        )?
        .execute(params![seq, lease.attempt, millis(until), millis(lease.begun_at)])?;
    connection
        .prepare_cached("INSERT INTO attempts (run, number, begun_at) VALUES (?1, ?2, ?3)")?
        .execute(params![seq, lease.attempt, millis(lease.begun_at)])?;
    Ok(())
}

/// In the order of an index, or every run that is kept would be looked at.
fn expired() -> String {
    format!(
        "SELECT {LEASE_COLUMNS} FROM runs JOIN deliveries ON deliveries.seq = runs.delivery \
         WHERE runs.state = 'sending' AND runs.lease_until <= ?1 ORDER BY runs.lease_until LIMIT 1000"
    )
}

/// Attempts whose lease has run out.
pub(super) fn expired_leases(
    connection: &Connection,
    now: Timestamp,
) -> Result<Vec<Lease>, StoreFault> {
    connection
        .prepare_cached(&expired())
        .and_then(|mut statement| {
            statement
                .query_map([millis(now)], |row| lease(row, now).map(|(_, lease)| lease))?
                .collect()
        })
        .map_err(fault)
}

/// Records what an attempt came to and moves its run.
pub(super) fn finish(connection: &Connection, finish: &Finish) -> Result<(), StoreFault> {
    let Finish { lease, result, next, refused, now } = finish;
    let now = *now;
    let (seq, state) = find(connection, lease.run)?;
    let latest: u32 = connection
        .prepare_cached("SELECT attempts FROM runs WHERE seq = ?1")
        .and_then(|mut statement| statement.query_row([seq], |row| row.get(0)))
        .map_err(fault)?;
    if state != RunState::Sending || latest != lease.attempt {
        return Err(StoreFault::LeaseLost(lease.run));
    }
    connection
        .prepare_cached(
            "UPDATE attempts SET outcome = ?3, status = ?4, reason = ?5, reply = ?6, took_ms = ?7 \
             WHERE run = ?1 AND number = ?2",
        )
        .and_then(|mut statement| {
            statement.execute(params![
                seq,
                lease.attempt,
                result.outcome.as_str(),
                result.status,
                result.reason,
                result.reply,
                i64::try_from(result.took.as_millis()).unwrap_or(i64::MAX),
            ])
        })
        .map_err(fault)?;
    let change = rules::change_of(next);
    after(state, &change).map_err(|refused| StoreFault::unlawful(lease.run, &refused))?;
    apply(connection, seq, state, &change, now)?;
    if let Some(KeyRefused { what, mark, act }) = refused {
        pauses::pause(connection, what, Some(mark), act)?;
    }
    match change {
        Change::Retry { .. } => latest::give_way(connection, seq, now),
        _ => Ok(()),
    }
}

/// Fails queued runs that are past their deadline.
pub(super) fn fail_overdue(
    connection: &Connection,
    now: Timestamp,
    waits: &[(Arc<str>, String)],
) -> Result<usize, StoreFault> {
    let pairs: Vec<(&str, &str)> = waits.iter().map(|(job, why)| (&**job, &**why)).collect();
    let waits = serde_json::to_string(&pairs).unwrap_or_default();
    connection
        .prepare_cached(
            "UPDATE runs SET state = 'failed', blocked = 0, changed_at = ?1, \
             reason = 'its time was over before it could be started (deadline or max_age of its job)' \
                      || coalesce('; last: ' || reason, '') \
                      || coalesce('; it waited: ' || (SELECT value ->> 1 FROM json_each(?3) \
                                                      WHERE value ->> 0 = runs.job LIMIT 1), '') \
             WHERE seq IN (SELECT seq FROM runs WHERE state IN ('queued', 'waiting') \
                           AND deadline_at <= ?1 LIMIT ?2)",
        )
        .and_then(|mut statement| statement.execute(params![millis(now), OVERDUE_STEP, waits]))
        .map_err(fault)
}

pub(super) fn pull_in(
    connection: &Connection,
    latest: Timestamp,
    now: Timestamp,
) -> Result<usize, StoreFault> {
    connection
        .prepare_cached("UPDATE runs SET due_at = ?1 WHERE blocked = 1 AND due_at > ?2")
        .and_then(|mut statement| statement.execute(params![millis(now), millis(latest)]))
        .map_err(fault)
}

/// Where the run is kept, and how it stands.
pub(super) fn find(connection: &Connection, id: RunId) -> Result<(i64, RunState), StoreFault> {
    connection
        .prepare_cached("SELECT seq, state FROM runs WHERE id = ?1")
        .and_then(|mut statement| {
            statement
                .query_row([id.as_bytes()], |row| Ok((row.get(0)?, rows::spelled(row, 1)?)))
                .optional()
        })
        .map_err(fault)?
        .ok_or_else(|| StoreFault::NotFound(format!("run {id}")))
}

/// Writes a change that [`after`] has allowed.
pub(super) fn apply(
    connection: &Connection,
    seq: i64,
    expected: RunState,
    change: &Change,
    now: Timestamp,
) -> Result<(), StoreFault> {
    let (state, due_at, reason, engine_id) = match change {
        Change::Due => (RunState::Queued, now, None, None),
        Change::Started { engine_id } => (RunState::Started, now, None, Some(engine_id)),
        Change::Retry { at, reason } => (RunState::Queued, *at, Some(reason.clone()), None),
        Change::Requeue { at } => (RunState::Queued, *at, None, None),
        Change::Hold { reason } => (RunState::Held, now, Some(reason.clone()), None),
        Change::Fail { reason } => (RunState::Failed, now, Some(reason.clone()), None),
        Change::Lease => (RunState::Sending, now, None, None),
        Change::Supersede => (RunState::Superseded, now, None, None),
        Change::Cancel { who } => {
            (RunState::Cancelled, now, Some(format!("cancelled by {who}")), None)
        }
    };
    let waits = state == RunState::Queued && due_at > now;
    connection
        .prepare_cached(
            "UPDATE runs SET state = ?3, due_at = ?4, reason = ?5, engine_id = ?6, \
             lease_until = NULL, changed_at = ?7, \
             blocked = CASE WHEN ?8 THEN 1 WHEN ?3 = 'queued' AND EXISTS \
               (SELECT 1 FROM pauses WHERE kind = 'route' AND name = runs.route) THEN 2 \
               ELSE 0 END \
             WHERE seq = ?1 AND state = ?2",
        )
        .and_then(|mut statement| {
            statement.execute(params![
                seq,
                expected.as_str(),
                state.as_str(),
                millis(due_at),
                reason,
                engine_id,
                millis(now),
                waits,
            ])
        })
        .map(|_| ())
        .map_err(fault)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::open::plan_of;

    #[test]
    fn runs_that_are_over_are_not_looked_at_for_lost_attempts() {
        let plan = plan_of(&expired(), params![0]);
        assert!(plan[0].starts_with("SEARCH runs USING INDEX runs_sending"), "{plan:?}");
    }
}
