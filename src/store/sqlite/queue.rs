//! The queue of runs: taking those that are due, settling attempts.

use std::collections::HashSet;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::rows::{self, fault, millis};
use crate::clock::later;
use crate::model::run::{Change, after};
use crate::model::{AttemptResult, RunId, RunState};
use crate::store::StoreFault;
use crate::store::{Lease, LeaseAsk, Leased, Next, Permit};

const LEASE_COLUMNS: &str = "runs.seq, runs.id, deliveries.id, runs.route, runs.job, \
    runs.environment, runs.attempts, runs.accepted_at, runs.deadline_at";

/// Runs failed for their deadline in one step.
const OVERDUE_STEP: usize = 500;

/// Takes what is due, job by job in the order of the permits, and begins its attempts.
pub(super) fn lease_due(connection: &Connection, ask: &LeaseAsk) -> Result<Leased, StoreFault> {
    let waiting = waiting_jobs(connection).map_err(fault)?;
    let mut leased = Leased::default();
    for permit in ask.permits.iter().filter(|permit| waiting.contains(&*permit.job)) {
        let room = permit.count.min(ask.most.saturating_sub(leased.leases.len()));
        let taken = if room > 0 { take(connection, permit, room, ask.now)? } else { Vec::new() };
        let full = taken.len() == permit.count;
        leased.leases.extend(taken);
        // A job whose permits are used up is asked about again when one comes back.
        if !full {
            let next = next_due(connection, &permit.job, ask.now).map_err(fault)?;
            leased.next_due = [leased.next_due, next].into_iter().flatten().min();
        }
    }
    Ok(leased)
}

/// Jobs with a queued run, found by stepping through the index from one job to the next.
fn waiting_jobs(connection: &Connection) -> rusqlite::Result<HashSet<String>> {
    let mut statement = connection.prepare_cached(
        "SELECT job FROM runs WHERE state = 'queued' AND job > ?1 ORDER BY job LIMIT 1",
    )?;
    let mut jobs = HashSet::new();
    let mut after = String::new();
    while let Some(job) = statement.query_row([&after], |row| row.get::<_, String>(0)).optional()? {
        after.clone_from(&job);
        jobs.insert(job);
    }
    Ok(jobs)
}

fn next_due(
    connection: &Connection,
    job: &str,
    now: Timestamp,
) -> rusqlite::Result<Option<Timestamp>> {
    connection
        .prepare_cached(
            "SELECT due_at FROM runs WHERE state = 'queued' AND job = ?1 \
               AND deadline_at > ?2 ORDER BY due_at, seq LIMIT 1",
        )?
        .query_row(params![job, millis(now)], |row| rows::moment(row, 0))
        .optional()
}

fn take(
    connection: &Connection,
    permit: &Permit,
    room: usize,
    now: Timestamp,
) -> Result<Vec<Lease>, StoreFault> {
    let due: Vec<(i64, Lease)> = connection
        .prepare_cached(&format!(
            "SELECT {LEASE_COLUMNS} FROM runs JOIN deliveries ON deliveries.seq = runs.delivery \
             WHERE runs.state = 'queued' AND runs.job = ?1 AND runs.due_at <= ?2 \
               AND runs.deadline_at > ?2 ORDER BY runs.due_at, runs.seq LIMIT ?3"
        ))
        .and_then(|mut statement| {
            statement
                .query_map(
                    params![permit.job, millis(now), i64::try_from(room).unwrap_or(i64::MAX)],
                    |row| lease(row, now),
                )?
                .collect()
        })
        .map_err(fault)?;
    let mut taken = Vec::with_capacity(due.len());
    for (seq, mut lease) in due {
        lease.attempt += 1;
        begin(connection, seq, &lease, later(now, permit.lease)).map_err(fault)?;
        taken.push(lease);
    }
    Ok(taken)
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
            accepted_at: rows::moment(row, 7)?,
            deadline: rows::moment(row, 8)?,
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

/// Attempts whose lease has run out.
pub(super) fn expired_leases(
    connection: &Connection,
    now: Timestamp,
) -> Result<Vec<Lease>, StoreFault> {
    connection
        .prepare_cached(&format!(
            "SELECT {LEASE_COLUMNS} FROM runs JOIN deliveries ON deliveries.seq = runs.delivery \
             WHERE runs.state = 'sending' AND runs.lease_until <= ?1 ORDER BY runs.seq LIMIT 1000"
        ))
        .and_then(|mut statement| {
            statement
                .query_map([millis(now)], |row| lease(row, now).map(|(_, lease)| lease))?
                .collect()
        })
        .map_err(fault)
}

/// Records what an attempt came to and moves its run.
pub(super) fn finish_attempt(
    connection: &Connection,
    lease: &Lease,
    result: &AttemptResult,
    next: &Next,
    now: Timestamp,
) -> Result<(), StoreFault> {
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
    let change = match next.clone() {
        Next::Started { engine_id } => Change::Started { engine_id },
        Next::Retry { at, reason } => Change::Retry { at, reason },
        Next::Hold { reason } => Change::Hold { reason },
        Next::Fail { reason } => Change::Fail { reason },
    };
    after(state, &change).map_err(|refused| StoreFault::unlawful(lease.run, &refused))?;
    apply(connection, seq, state, &change, now)
}

/// Fails queued runs that are past their deadline.
pub(super) fn fail_overdue(connection: &Connection, now: Timestamp) -> Result<usize, StoreFault> {
    connection
        .prepare_cached(
            "UPDATE runs SET state = 'failed', changed_at = ?1, \
             reason = 'its deadline passed before it could be started' \
                      || coalesce('; last: ' || reason, '') \
             WHERE seq IN (SELECT seq FROM runs WHERE state = 'queued' AND deadline_at <= ?1 LIMIT ?2)",
        )
        .and_then(|mut statement| statement.execute(params![millis(now), OVERDUE_STEP]))
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
        Change::Started { engine_id } => (RunState::Started, now, None, Some(engine_id)),
        Change::Retry { at, reason } => (RunState::Queued, *at, Some(reason), None),
        Change::Requeue { at } => (RunState::Queued, *at, None, None),
        Change::Hold { reason } => (RunState::Held, now, Some(reason), None),
        Change::Fail { reason } => (RunState::Failed, now, Some(reason), None),
        Change::Lease => (RunState::Sending, now, None, None),
    };
    connection
        .prepare_cached(
            "UPDATE runs SET state = ?3, due_at = ?4, reason = ?5, engine_id = ?6, \
             lease_until = NULL, changed_at = ?7 WHERE seq = ?1 AND state = ?2",
        )
        .and_then(|mut statement| {
            statement.execute(params![
                seq,
                expected.as_str(),
                state.as_str(),
                millis(due_at),
                reason,
                engine_id,
                millis(now)
            ])
        })
        .map(|_| ())
        .map_err(fault)
}
