//! What people do: replay a delivery, settle a held run. Each act is kept with who and when.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::accept::{environment_json, insert_run};
use super::rows::{self, fault, millis};
use super::{audit, queue, read};
use crate::model::run::{Change, after};
use crate::model::{RunId, RunState};
use crate::store::StoreFault;
use crate::store::rules;
use crate::store::{Act, NewRun, NewRunState, Release, ReplayOrder, Replayed, ReplayedRun, Run};

/// Today's routes on a kept delivery.
pub(super) fn replay(connection: &Connection, order: &ReplayOrder) -> Result<Replayed, StoreFault> {
    let delivery: i64 = connection
        .prepare_cached("SELECT seq FROM deliveries WHERE id = ?1")
        .and_then(|mut statement| {
            statement.query_row([order.delivery.as_bytes()], |row| row.get(0)).optional()
        })
        .map_err(fault)?
        .ok_or_else(|| StoreFault::NotFound(format!("delivery {}", order.delivery)))?;
    let runs = order
        .runs
        .iter()
        .map(|run| replay_one(connection, delivery, run, order))
        .collect::<Result<_, _>>()?;
    let name = order.delivery.to_string();
    audit::write(connection, "replay", "delivery", &name, &order.act)?;
    Ok(Replayed { runs })
}

fn replay_one(
    connection: &Connection,
    delivery: i64,
    run: &NewRun,
    order: &ReplayOrder,
) -> Result<ReplayedRun, StoreFault> {
    let latest: Option<(i64, RunId, RunState)> = connection
        .prepare_cached(
            "SELECT seq, id, state FROM runs WHERE delivery = ?1 AND route = ?2 AND part = ?3 \
             ORDER BY seq DESC LIMIT 1",
        )
        .and_then(|mut statement| {
            statement
                .query_row(params![delivery, run.route, run.part], |row| {
                    Ok((row.get(0)?, rows::run_id(row, 1)?, rows::spelled(row, 2)?))
                })
                .optional()
        })
        .map_err(fault)?;
    let route = run.route.to_string();
    match latest {
        Some((seq, id, state)) if state.is_tried_again() => {
            let state = again(connection, seq, &run.state, order.act.at, run.deadline)?;
            note(connection, seq, "replay", &order.act)?;
            let what = match state {
                RunState::Queued => "queued again",
                RunState::Held => "held",
                RunState::Cancelled => "left as it is",
                _ => "failed again",
            };
            Ok(ReplayedRun { id, route, what, state })
        }
        Some((_, id, state)) if !order.again => {
            Ok(ReplayedRun { id, route, what: "left as it is", state })
        }
        _ => {
            insert_run(connection, delivery, run, millis(order.act.at))?;
            note(connection, connection.last_insert_rowid(), "replay", &order.act)?;
            let state = match run.state {
                NewRunState::Queued(_) => RunState::Queued,
                NewRunState::Held(..) => RunState::Held,
                NewRunState::Failed(_) => RunState::Failed,
            };
            Ok(ReplayedRun { id: run.id, route, what: "new", state })
        }
    }
}

/// Gives a failed run another try with a newly mapped environment; gives the state that it is in
/// then. When it failed again in mapping, only the reason is new.
pub(super) fn again(
    connection: &Connection,
    seq: i64,
    state: &NewRunState,
    now: Timestamp,
    deadline: Timestamp,
) -> Result<RunState, StoreFault> {
    let write = || -> rusqlite::Result<RunState> {
        let (environment, reason) = match state {
            NewRunState::Failed(reason) => {
                return connection
                    .prepare_cached(
                        "UPDATE runs SET reason = ?2, changed_at = ?3 \
                         WHERE seq = ?1 AND state IN ('failed', 'cancelled') RETURNING state",
                    )?
                    .query_row(params![seq, reason, millis(now)], |row| rows::spelled(row, 0));
            }
            NewRunState::Queued(environment) => (environment, None),
            NewRunState::Held(environment, reason) => (environment, Some(reason)),
        };
        let state = if reason.is_some() { RunState::Held } else { RunState::Queued };
        connection
            .prepare_cached(
                "UPDATE runs SET state = ?2, environment = ?3, reason = ?4, changed_at = ?5, \
                 due_at = ?5, deadline_at = ?6, blocked = CASE WHEN ?2 = 'queued' AND EXISTS \
                   (SELECT 1 FROM pauses WHERE kind = 'route' AND name = runs.route) THEN 2 ELSE 0 END \
                 WHERE seq = ?1 AND state IN ('failed', 'cancelled')",
            )?
            .execute(params![
                seq,
                state.as_str(),
                environment_json(environment)?,
                reason,
                millis(now),
                millis(deadline)
            ])?;
        Ok(state)
    };
    write().map_err(fault)
}

/// A person's word on a held run.
pub(super) fn release(
    connection: &Connection,
    id: RunId,
    release: &Release,
    act: &Act,
) -> Result<Run, StoreFault> {
    let (seq, state) = queue::find(connection, id)?;
    let (change, word) = rules::released(id, state, release, act)?;
    queue::apply(connection, seq, state, &change, act.at)?;
    if let Release::Retry { deadline } = release {
        // A person has looked: no brake holds it again.
        connection
            .prepare_cached("UPDATE runs SET deadline_at = ?2, passed = 1 WHERE seq = ?1")
            .and_then(|mut statement| statement.execute(params![seq, millis(*deadline)]))
            .map_err(fault)?;
    }
    note(connection, seq, word, act)?;
    audit::write(connection, word, "run", &id.to_string(), act)?;
    read::run(connection, id)?.ok_or_else(|| StoreFault::NotFound(format!("run {id}")))
}

/// A person takes a run out that is not on the wire.
pub(super) fn cancel(connection: &Connection, id: RunId, act: &Act) -> Result<Run, StoreFault> {
    let (seq, state) = queue::find(connection, id)?;
    let change = Change::Cancel { who: act.who.clone() };
    after(state, &change).map_err(|refused| StoreFault::unlawful(id, &refused))?;
    queue::apply(connection, seq, state, &change, act.at)?;
    note(connection, seq, "cancel", act)?;
    audit::write(connection, "cancel", "run", &id.to_string(), act)?;
    read::run(connection, id)?.ok_or_else(|| StoreFault::NotFound(format!("run {id}")))
}

fn note(connection: &Connection, run: i64, what: &str, act: &Act) -> Result<(), StoreFault> {
    connection
        .prepare_cached("INSERT INTO acts (run, at, who, act, note) VALUES (?1, ?2, ?3, ?4, ?5)")
        .and_then(|mut statement| {
            statement.execute(params![run, millis(act.at), act.who, what, act.note])
        })
        .map(|_| ())
        .map_err(fault)
}
