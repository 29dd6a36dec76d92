//! What people look at: deliveries, runs, counts.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::rows::{self, fault};
use crate::model::{DeliveryId, RunId};
use crate::store::StoreFault;
use crate::store::pack::unpack;
use crate::store::{
    Act, Attempt, Counts, Delivery, DeliveryFilter, DeliverySummary, Run, RunBrief, RunFilter,
};

const BRIEF: &str = "runs.id, deliveries.id, runs.route, runs.job, runs.part, runs.state, \
    runs.reason, runs.engine_id, runs.attempts, runs.accepted_at, runs.changed_at, runs.due_at, \
    runs.deadline_at, runs.seq, runs.environment, runs.stands_for, \
    CASE WHEN runs.state = 'superseded' THEN (SELECT newer.id FROM runs newer \
        WHERE newer.burst = runs.burst AND newer.state <> 'superseded' \
        ORDER BY newer.seq DESC LIMIT 1) END";

const SUMMARY: &str = "id, source, provider, kind, name, delivery_key, handshake, received_at, \
    remote, size, repeats, stripped, seq";

/// Most rows that one list gives.
const MOST: usize = 1000;

fn brief(row: &Row<'_>) -> rusqlite::Result<RunBrief> {
    Ok(RunBrief {
        id: rows::run_id(row, 0)?,
        delivery: rows::delivery_id(row, 1)?,
        route: row.get(2)?,
        job: row.get(3)?,
        part: row.get(4)?,
        state: rows::spelled(row, 5)?,
        reason: row.get(6)?,
        engine_id: row.get(7)?,
        attempts: row.get(8)?,
        accepted_at: rows::moment(row, 9)?,
        changed_at: rows::moment(row, 10)?,
        due_at: rows::moment(row, 11)?,
        deadline: rows::moment(row, 12)?,
        stands_for: row.get(15)?,
        superseded_by: row.get::<_, Option<[u8; 16]>>(16)?.map(RunId::from_bytes),
    })
}

fn summary(row: &Row<'_>) -> rusqlite::Result<(i64, DeliverySummary)> {
    Ok((
        row.get(12)?,
        DeliverySummary {
            id: rows::delivery_id(row, 0)?,
            source: row.get(1)?,
            provider: row.get(2)?,
            kind: row.get(3)?,
            name: row.get(4)?,
            key: row.get(5)?,
            handshake: row.get(6)?,
            received_at: rows::moment(row, 7)?,
            remote: row.get(8)?,
            size: row.get(9)?,
            repeats: row.get(10)?,
            stripped: row.get(11)?,
            runs: Vec::new(),
        },
    ))
}

/// The name of a kept delivery and its runs in short.
pub(super) fn brief_of(
    connection: &Connection,
    seq: i64,
) -> Result<(DeliveryId, Vec<RunBrief>), StoreFault> {
    let id = connection
        .prepare_cached("SELECT id FROM deliveries WHERE seq = ?1")
        .and_then(|mut statement| statement.query_row([seq], |row| rows::delivery_id(row, 0)))
        .map_err(fault)?;
    Ok((id, briefs(connection, seq).map_err(fault)?))
}

fn briefs(connection: &Connection, delivery: i64) -> rusqlite::Result<Vec<RunBrief>> {
    connection
        .prepare_cached(&format!(
            "SELECT {BRIEF} FROM runs JOIN deliveries ON deliveries.seq = runs.delivery \
             WHERE runs.delivery = ?1 ORDER BY runs.seq"
        ))?
        .query_map([delivery], brief)?
        .collect()
}

/// One delivery, whole.
pub(super) fn delivery(
    connection: &Connection,
    id: DeliveryId,
) -> Result<Option<Delivery>, StoreFault> {
    // One snapshot, so that the runs shown are those of the delivery shown.
    let snapshot = connection.unchecked_transaction().map_err(fault)?;
    let found = snapshot
        .prepare_cached(&format!(
            "SELECT {SUMMARY}, headers, query, body, explanation, claims FROM deliveries WHERE id = ?1"
        ))
        .and_then(|mut statement| {
            statement
                .query_row([id.as_bytes()], |row| {
                    let (seq, summary) = summary(row)?;
                    let packed: (Vec<u8>, String, Vec<u8>, Vec<u8>, Option<String>) =
                        (row.get(13)?, row.get(14)?, row.get(15)?, row.get(16)?, row.get(17)?);
                    Ok((seq, summary, packed))
                })
                .optional()
        })
        .map_err(fault)?;
    let Some((seq, mut summary, (headers, query, body, explanation, claims))) = found else {
        return Ok(None);
    };
    summary.runs = briefs(&snapshot, seq).map_err(fault)?;
    let runs = summary
        .runs
        .iter()
        .map(|brief| whole(&snapshot, brief.id))
        .filter_map(Result::transpose)
        .collect::<Result<_, _>>()?;
    let headers = unpack(&headers)?;
    Ok(Some(Delivery {
        claims,
        headers: if headers.is_empty() {
            Vec::new()
        } else {
            serde_json::from_slice(&headers)
                .map_err(|error| StoreFault::Unusable(format!("kept headers: {error}")))?
        },
        query,
        body: unpack(&body)?,
        explanation: unpack(&explanation)?.to_vec(),
        runs,
        summary,
    }))
}

/// Deliveries, newest first.
pub(super) fn deliveries(
    connection: &Connection,
    filter: &DeliveryFilter,
) -> Result<Vec<DeliverySummary>, StoreFault> {
    let list = || -> rusqlite::Result<Vec<DeliverySummary>> {
        let snapshot = connection.unchecked_transaction()?;
        let before = filter.before.map(|id| *id.as_bytes());
        let found: Vec<(i64, DeliverySummary)> = snapshot
            .prepare_cached(&format!(
                "SELECT {SUMMARY} FROM deliveries \
                 WHERE (?1 IS NULL OR source = ?1) \
                   AND (?2 IS NULL OR seq < (SELECT seq FROM deliveries WHERE id = ?2)) \
                 ORDER BY seq DESC LIMIT ?3"
            ))?
            .query_map(params![filter.source, before, limit(filter.limit)], summary)?
            .collect::<rusqlite::Result<_>>()?;
        found
            .into_iter()
            .map(|(seq, mut summary)| {
                summary.runs = briefs(&snapshot, seq)?;
                Ok(summary)
            })
            .collect()
    };
    list().map_err(fault)
}

/// One run, whole.
pub(super) fn run(connection: &Connection, id: RunId) -> Result<Option<Run>, StoreFault> {
    whole(connection, id)
}

fn whole(connection: &Connection, id: RunId) -> Result<Option<Run>, StoreFault> {
    let read = || -> rusqlite::Result<Option<Run>> {
        let found = connection
            .prepare_cached(&format!(
                "SELECT {BRIEF} FROM runs JOIN deliveries ON deliveries.seq = runs.delivery \
                 WHERE runs.id = ?1"
            ))?
            .query_row([id.as_bytes()], |row| {
                let environment: Option<String> = row.get(14)?;
                let environment = environment
                    .map(|text| serde_json::from_str(&text))
                    .transpose()
                    .map_err(|error| rows::unreadable(14, error))?;
                Ok((brief(row)?, row.get::<_, i64>(13)?, environment))
            })
            .optional()?;
        let Some((brief, seq, environment)) = found else { return Ok(None) };
        let tries = connection
            .prepare_cached(
                "SELECT number, begun_at, outcome, status, reason, reply, took_ms FROM attempts \
                 WHERE run = ?1 ORDER BY number",
            )?
            .query_map([seq], attempt)?
            .collect::<rusqlite::Result<_>>()?;
        let acts = connection
            .prepare_cached("SELECT act, who, at, note FROM acts WHERE run = ?1 ORDER BY seq")?
            .query_map([seq], |row| {
                let act = Act {
                    who: row.get(1)?,
                    at: rows::moment(row, 2)?,
                    origin: None,
                    note: row.get(3)?,
                };
                Ok((row.get(0)?, act))
            })?
            .collect::<rusqlite::Result<_>>()?;
        Ok(Some(Run { brief, environment, tries, acts }))
    };
    read().map_err(fault)
}

fn attempt(row: &Row<'_>) -> rusqlite::Result<Attempt> {
    let outcome: Option<String> = row.get(2)?;
    Ok(Attempt {
        number: row.get(0)?,
        begun_at: rows::moment(row, 1)?,
        outcome: outcome
            .map(|word| word.parse())
            .transpose()
            .map_err(|error: String| rows::unreadable(2, error))?,
        status: row.get(3)?,
        reason: row.get(4)?,
        reply: row.get(5)?,
        took_ms: row.get(6)?,
    })
}

/// Runs, newest first.
pub(super) fn runs(
    connection: &Connection,
    filter: &RunFilter,
) -> Result<Vec<RunBrief>, StoreFault> {
    // Spelled out where an index over one state exists, which a parameter would hide.
    let state = filter
        .state
        .map_or_else(|| "1".to_owned(), |state| format!("runs.state = '{}'", state.as_str()));
    let before = filter.before.map(|id| *id.as_bytes());
    connection
        .prepare_cached(&format!(
            "SELECT {BRIEF} FROM runs JOIN deliveries ON deliveries.seq = runs.delivery \
             WHERE {state} AND (?1 IS NULL OR runs.job = ?1) \
               AND (?2 IS NULL OR runs.seq < (SELECT seq FROM runs WHERE id = ?2)) \
             ORDER BY runs.seq DESC LIMIT ?3"
        ))
        .and_then(|mut statement| {
            statement.query_map(params![filter.job, before, limit(filter.limit)], brief)?.collect()
        })
        .map_err(fault)
}

fn limit(asked: usize) -> i64 {
    i64::try_from(asked.clamp(1, MOST)).unwrap_or(i64::MAX)
}

/// How many runs wait; each number is read from an index over that state alone.
pub(super) fn counts(connection: &Connection) -> Result<Counts, StoreFault> {
    connection
        .prepare_cached(
            "SELECT (SELECT count(*) FROM runs WHERE blocked = 1 AND state = 'waiting'), \
                    (SELECT count(*) FROM runs WHERE state = 'queued'), \
                    (SELECT count(*) FROM runs WHERE state = 'sending'), \
                    (SELECT count(*) FROM runs WHERE state = 'held'), \
                    (SELECT accepted_at FROM runs WHERE seq = \
                      (SELECT min(seq) FROM runs WHERE state = 'queued')), \
                    (SELECT min(accepted_at) FROM runs WHERE state = 'held')",
        )
        .and_then(|mut statement| {
            statement.query_row([], |row| {
                Ok(Counts {
                    waiting: row.get(0)?,
                    queued: row.get(1)?,
                    sending: row.get(2)?,
                    held: row.get(3)?,
                    oldest_queued_ms: row.get(4)?,
                    oldest_held_ms: row.get(5)?,
                })
            })
        })
        .map_err(fault)
}

/// How many runs have been held since before a moment.
pub(super) fn held_since(
    connection: &Connection,
    before: jiff::Timestamp,
) -> Result<u64, StoreFault> {
    connection
        .prepare_cached("SELECT count(*) FROM runs WHERE state = 'held' AND changed_at < ?1")
        .and_then(|mut statement| statement.query_row([rows::millis(before)], |row| row.get(0)))
        .map_err(fault)
}
