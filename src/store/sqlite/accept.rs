//! Keeps a delivery and its runs, or recognizes a repeat: one claim, one transaction.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use super::latest;
use super::people::again;
use super::rows::{fault, millis};
use super::{pauses, read, rows};
use crate::clock::later;
use crate::model::{Environment, RunId, RunState};
use crate::store::pack::Packed;
use crate::store::rules::{self, Taken};
use crate::store::{Accepted, NewDelivery, NewRun, NewRunState, Pausable};
use crate::store::{REPEAT_WINDOW, StoreFault};

/// Runs inside the group's transaction.
pub(super) fn accept(connection: &Connection, packed: &Packed) -> Result<Accepted, StoreFault> {
    let delivery = &packed.delivery;
    match claimed(connection, delivery)? {
        Some(first) => repeat(connection, first, delivery),
        None => keep(connection, packed).map(|()| Accepted::Kept),
    }
}

/// The delivery that holds the claim on this source and key, where one does.
fn claimed(connection: &Connection, delivery: &NewDelivery) -> Result<Option<i64>, StoreFault> {
    connection
        .prepare_cached(
            "SELECT delivery FROM claims WHERE source = ?1 AND delivery_key = ?2 AND expires_at > ?3",
        )
        .and_then(|mut statement| {
            statement
                .query_row(
                    params![delivery.source, delivery.key, millis(delivery.received_at)],
                    |row| row.get(0),
                )
                .optional()
        })
        .map_err(fault)
}

fn keep(connection: &Connection, packed: &Packed) -> Result<(), StoreFault> {
    let delivery = &packed.delivery;
    let mut seq = 0;
    let mut write = || -> rusqlite::Result<()> {
        connection
            .prepare_cached(
                "INSERT INTO deliveries (id, source, provider, kind, name, delivery_key, handshake, \
                 received_at, remote, query, size, headers, explanation, body, claims) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
            )?
            .execute(params![
                delivery.id.as_bytes(),
                delivery.source,
                delivery.provider,
                delivery.kind,
                delivery.name,
                delivery.key,
                delivery.handshake,
                millis(delivery.received_at),
                delivery.remote,
                delivery.query,
                i64::try_from(packed.size).unwrap_or(i64::MAX),
                packed.headers,
                packed.explanation,
                packed.body,
                delivery.claims,
            ])?;
        seq = connection.last_insert_rowid();
        // An expired claim is taken over; a live one was found before, in this same transaction.
        connection
            .prepare_cached(
                "INSERT INTO claims (source, delivery_key, delivery, expires_at) \
                 VALUES (?1, ?2, ?3, ?4) ON CONFLICT (source, delivery_key) \
                 DO UPDATE SET delivery = excluded.delivery, expires_at = excluded.expires_at",
            )?
            .execute(params![
                delivery.source,
                delivery.key,
                seq,
                millis(later(delivery.received_at, REPEAT_WINDOW)),
            ])?;
        Ok(())
    };
    write().map_err(fault)?;
    for run in &delivery.runs {
        insert_run(connection, seq, run, millis(delivery.received_at))?;
    }
    Ok(())
}

/// Writes one new run of a kept delivery. It takes the place of those of its kind that are not sent
/// yet.
pub(super) fn insert_run(
    connection: &Connection,
    delivery: i64,
    run: &NewRun,
    now: i64,
) -> Result<(), StoreFault> {
    let mut place = Taken { burst: None, burst_at: now, stands_for: 1 };
    let mut due_at = now;
    let (state, environment, reason) = match &run.state {
        NewRunState::Queued(environment) => {
            if let Some(latest) = &run.latest {
                place = latest::take_place(connection, &run.route, &latest.key, now)?;
                due_at = rules::due_at(latest, place.burst_at, now);
            }
            (if due_at > now { "waiting" } else { "queued" }, Some(environment), None)
        }
        NewRunState::Held(environment, reason) => ("held", Some(environment), Some(reason)),
        NewRunState::Failed(reason) => ("failed", None, Some(reason)),
    };
    let write = || -> rusqlite::Result<()> {
        let environment = environment.map(environment_json).transpose()?;
        let blocked = match state {
            "waiting" => 1,
            "queued" if pauses::rests(connection, &Pausable::Route(run.route.to_string()))? => 2,
            _ => 0,
        };
        connection
            .prepare_cached(
                "INSERT INTO runs (id, delivery, route, job, part, state, reason, environment, \
                 accepted_at, changed_at, due_at, deadline_at, blocked, latest_per, burst, \
                 burst_at, stands_for) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
            )?
            .execute(params![
                run.id.as_bytes(),
                delivery,
                run.route,
                run.job,
                run.part,
                state,
                reason,
                environment,
                now,
                due_at,
                millis(run.deadline),
                blocked,
                run.latest.as_ref().map(|latest| &latest.key),
                place.burst,
                run.latest.is_some().then_some(place.burst_at),
                place.stands_for,
            ])?;
        Ok(())
    };
    write().map_err(fault)
}

/// A run's variables as the JSON that is kept.
pub(super) fn environment_json(environment: &Environment) -> rusqlite::Result<String> {
    serde_json::to_string(environment)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

/// A person pressed "redeliver", or the sender did not hear the first answer: nothing that was
/// started is started again, and what had failed gets another try with today's environment.
fn repeat(
    connection: &Connection,
    first: i64,
    delivery: &NewDelivery,
) -> Result<Accepted, StoreFault> {
    connection
        .prepare_cached("UPDATE deliveries SET repeats = repeats + 1 WHERE seq = ?1")
        .and_then(|mut statement| statement.execute([first]))
        .map_err(fault)?;
    let failed: Vec<(i64, String, u32, RunId, Option<String>, Duration)> = connection
        .prepare_cached(
            "SELECT seq, route, part, id, environment, deadline_at - accepted_at FROM runs \
             WHERE delivery = ?1 AND state = 'failed' ORDER BY seq",
        )
        .and_then(|mut statement| {
            statement
                .query_map([first], |row| {
                    let patience: i64 = row.get(5)?;
                    Ok((
                        row.get(0)?,
                        row.get(1)?,
                        row.get(2)?,
                        rows::run_id(row, 3)?,
                        row.get(4)?,
                        Duration::from_millis(u64::try_from(patience).unwrap_or(0)),
                    ))
                })?
                .collect()
        })
        .map_err(fault)?;
    let mut requeued = Vec::new();
    for (seq, route, part, id, environment, patience) in failed {
        let today = delivery.runs.iter().find(|run| *run.route == *route && run.part == part);
        let deadline =
            today.map_or_else(|| later(delivery.received_at, patience), |run| run.deadline);
        let moved = match today.map(|run| &run.state) {
            Some(state) => {
                again(connection, seq, state, delivery.received_at, deadline)? == RunState::Queued
            }
            // The route is gone or no longer matches; what it had promised still stands.
            None if environment.is_some() => {
                again_as_it_was(connection, seq, delivery.received_at, deadline)?;
                true
            }
            None => false,
        };
        if moved {
            requeued.push(id);
        }
    }
    let (id, runs) = read::brief_of(connection, first)?;
    Ok(Accepted::Repeat { delivery: id, runs, requeued })
}

fn again_as_it_was(
    connection: &Connection,
    seq: i64,
    now: jiff::Timestamp,
    deadline: jiff::Timestamp,
) -> Result<(), StoreFault> {
    connection
        .prepare_cached(
            "UPDATE runs SET state = 'queued', blocked = CASE WHEN EXISTS \
               (SELECT 1 FROM pauses WHERE kind = 'route' AND name = runs.route) THEN 2 ELSE 0 END, \
             reason = NULL, changed_at = ?2, due_at = ?2, deadline_at = ?3 \
             WHERE seq = ?1 AND state = 'failed'",
        )
        .and_then(|mut statement| statement.execute(params![seq, millis(now), millis(deadline)]))
        .map(|_| ())
        .map_err(fault)
}
