//! Reads what people look at: deliveries, runs, counts and the audit log.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::values::{all, execute, fault, millis, one};
use crate::model::{DeliveryId, IdPrefix, RunId};
use crate::store::StoreFault;
use crate::store::tables::runs::{ENVIRONMENT, brief, environment, in_short};
use crate::store::tables::{
    Row as _, acts, attempts, audit, deliveries as table, lately, pauses, queue,
};
use crate::store::{
    Audited, Counts, Delivery, DeliveryFilter, DeliverySummary, Failures, Lately, MOST_LIKE, Pause,
    Queue, Reading, RouteFile, Run, RunBrief, RunFilter,
};

const BRIEF: &str = brief!("(SELECT id FROM deliveries WHERE deliveries.seq = runs.delivery)");

/// Most rows that one list gives: a thousand, and one more that tells that there are more.
const MOST: usize = 1001;

/// The runs of a delivery, in the order of acceptance.
pub(super) fn runs_of(
    connection: &Connection,
    delivery: DeliveryId,
) -> Result<Vec<RunBrief>, StoreFault> {
    let sql = format!(
        "SELECT {BRIEF} FROM runs WHERE runs.delivery = (SELECT seq FROM deliveries WHERE id = ?1) \
         ORDER BY runs.seq"
    );
    all(connection, &sql, [delivery.as_bytes()], |row| in_short(row))
}

/// One delivery with its content and runs.
pub(super) fn delivery(
    connection: &Connection,
    id: DeliveryId,
    reading: Reading,
) -> Result<Option<Delivery>, StoreFault> {
    // One snapshot, so that the runs belong to the delivery as shown.
    let snapshot = connection.unchecked_transaction().map_err(fault)?;
    let runs = runs_of(&snapshot, id)?
        .iter()
        .filter_map(|brief| run(&snapshot, brief.id).transpose())
        .collect::<Result<Vec<_>, _>>()?;
    let (summary, content) = (table::SUMMARY, table::content(reading));
    let sql = format!("SELECT {summary}, {content} FROM deliveries WHERE id = ?1");
    one(&snapshot, &sql, [id.as_bytes()], |row| table::whole(row, runs.clone(), reading))
}

/// Deliveries, newest first.
pub(super) fn deliveries(
    connection: &Connection,
    filter: &DeliveryFilter,
) -> Result<Vec<DeliverySummary>, StoreFault> {
    let snapshot = connection.unchecked_transaction().map_err(fault)?;
    let before = filter.before.map(|id| *id.as_bytes());
    let sql = format!(
        "SELECT {} FROM deliveries WHERE (?1 IS NULL OR source = ?1) \
           AND (?2 IS NULL OR seq < (SELECT seq FROM deliveries WHERE id = ?2)) \
         ORDER BY seq DESC LIMIT ?3",
        table::SUMMARY
    );
    let values = params![filter.source, before, limit(filter.limit)];
    let mut found = all(&snapshot, &sql, values, |row| table::summary(row))?;
    for summary in &mut found {
        summary.runs = runs_of(&snapshot, summary.id)?;
    }
    Ok(found)
}

/// The first ids of a table that begin so. The table's name is a literal of the caller.
pub(super) fn ids_like(
    connection: &Connection,
    table: &str,
    prefix: &IdPrefix,
) -> Result<Vec<[u8; 16]>, StoreFault> {
    let (low, high) = prefix.range();
    let sql =
        format!("SELECT id FROM {table} WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT {MOST_LIKE}");
    all(connection, &sql, params![low, high], |row| row.id("id"))
}

/// One run with its variables, attempts and acts.
pub(super) fn run(connection: &Connection, id: RunId) -> Result<Option<Run>, StoreFault> {
    let sql = format!("SELECT {BRIEF}, runs.seq, {ENVIRONMENT} FROM runs WHERE runs.id = ?1");
    let found = one(connection, &sql, [id.as_bytes()], |row| {
        Ok((row.integer("seq")?, in_short(row)?, environment(row)?))
    })?;
    let Some((seq, brief, environment)) = found else { return Ok(None) };
    let tries =
        format!("SELECT {} FROM attempts WHERE run = ?1 ORDER BY number", attempts::COLUMNS);
    let said = format!("SELECT {} FROM acts WHERE run = ?1 ORDER BY seq", acts::COLUMNS);
    Ok(Some(Run {
        brief,
        environment,
        tries: all(connection, &tries, [seq], |row| attempts::attempt(row))?,
        acts: all(connection, &said, [seq], |row| acts::act(row))?,
    }))
}

/// Runs, newest first.
pub(super) fn runs(
    connection: &Connection,
    filter: &RunFilter,
) -> Result<Vec<RunBrief>, StoreFault> {
    // The state is part of the text: with a parameter, SQLite could not use an index over one state.
    let state = filter
        .state
        .map_or_else(|| "1".to_owned(), |state| format!("runs.state = '{}'", state.as_str()));
    let before = filter.before.map(|id| *id.as_bytes());
    let sql = format!(
        "SELECT {BRIEF} FROM runs WHERE {state} AND (?1 IS NULL OR runs.job = ?1) \
           AND (?2 IS NULL OR runs.seq < (SELECT seq FROM runs WHERE id = ?2)) \
         ORDER BY runs.seq DESC LIMIT ?3"
    );
    let values = params![filter.job, before, limit(filter.limit)];
    all(connection, &sql, values, |row| in_short(row))
}

fn limit(asked: usize) -> i64 {
    i64::try_from(asked.clamp(1, MOST)).unwrap_or(i64::MAX)
}

/// How many runs are in each state that is not final. Each number comes from an index over that state alone.
pub(super) fn counts(connection: &Connection) -> Result<Counts, StoreFault> {
    let sql = "SELECT (SELECT count(*) FROM runs WHERE blocked = 1 AND state = 'waiting') AS waiting, \
                 (SELECT count(*) FROM runs WHERE state = 'queued') AS queued, \
                 (SELECT count(*) FROM runs WHERE state = 'sending') AS sending, \
                 (SELECT count(*) FROM runs WHERE state = 'held') AS held, \
                 (SELECT accepted_at FROM runs WHERE seq = \
                   (SELECT min(seq) FROM runs WHERE state = 'queued')) AS oldest_queued, \
                 (SELECT min(accepted_at) FROM runs WHERE state = 'held') AS oldest_held";
    Ok(one(connection, sql, [], |row| crate::store::tables::runs::counts(row))?.unwrap_or_default())
}

/// What has not ended, by job and state, and the backlogs.
pub(super) fn queue(connection: &Connection) -> Result<Queue, StoreFault> {
    let snapshot = connection.unchecked_transaction().map_err(fault)?;
    Ok(Queue {
        rows: all(&snapshot, queue::ROWS, [], |row| queue::row(row))?,
        backlogs: all(&snapshot, queue::BACKLOGS, [], |row| queue::backlog(row))?,
    })
}

/// The kept versions of route files.
pub(super) fn route_files(connection: &Connection) -> Result<Vec<RouteFile>, StoreFault> {
    all(connection, queue::ROUTE_FILES, [], |row| queue::route_file(row))
}

/// Keeps these versions of route files, and forgets files of other names.
pub(super) fn keep_route_files(
    connection: &Connection,
    files: &[(String, String)],
    names: &[String],
    now: Timestamp,
) -> Result<(), StoreFault> {
    for kept in route_files(connection)?.iter().filter(|kept| !names.contains(&kept.name)) {
        execute(connection, "DELETE FROM route_files WHERE name = ?1", [&kept.name])?;
    }
    for (name, text) in files {
        execute(connection, queue::KEEP_ROUTE_FILE, params![name, text, millis(now)])?;
    }
    Ok(())
}

/// How many queued runs of a job have a deadline before this moment.
pub(super) fn late(
    connection: &Connection,
    job: &str,
    before: Timestamp,
) -> Result<u64, StoreFault> {
    let found = one(connection, queue::LATE, params![job, millis(before)], |row| row.count("runs"));
    Ok(found?.unwrap_or_default())
}

/// The runs that have failed since this moment, by job.
pub(super) fn failed_since(
    connection: &Connection,
    since: Timestamp,
) -> Result<Vec<Failures>, StoreFault> {
    all(connection, queue::FAILED, [millis(since)], |row| queue::failures(row))
}

/// What happened lately, by source and by route.
pub(super) fn lately(connection: &Connection, since: Timestamp) -> Result<Lately, StoreFault> {
    let snapshot = connection.unchecked_transaction().map_err(fault)?;
    let since = [millis(since)];
    let sources = all(&snapshot, &lately::sources("seq"), since, |row| lately::source(row))?;
    let runs = all(&snapshot, &lately::runs(), since, |row| lately::run(row))?;
    let ((sources, deliveries_since), (runs, runs_since)) =
        (lately::whole(sources), lately::whole(runs));
    Ok(Lately { sources, deliveries_since, runs, runs_since })
}

/// How many runs have been held since before a moment.
pub(super) fn held_since(connection: &Connection, before: Timestamp) -> Result<u64, StoreFault> {
    let sql = "SELECT count(*) AS held FROM runs WHERE state = 'held' AND changed_at < ?1";
    Ok(one(connection, sql, [millis(before)], |row| row.count("held"))?.unwrap_or_default())
}

/// All pauses.
pub(super) fn paused(connection: &Connection) -> Result<Vec<Pause>, StoreFault> {
    let sql = format!("SELECT {} FROM pauses ORDER BY kind, name", pauses::COLUMNS);
    all(connection, &sql, [], |row| pauses::pause(row))
}

/// Entries of the audit log that are older than `before`, newest first.
pub(super) fn audited(
    connection: &Connection,
    before: Option<u64>,
    limit: usize,
) -> Result<Vec<Audited>, StoreFault> {
    let before = before.and_then(|number| i64::try_from(number).ok()).unwrap_or(i64::MAX);
    let limit = i64::try_from(limit.clamp(1, audit::MOST)).unwrap_or(i64::MAX);
    let sql =
        format!("SELECT {} FROM audit WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2", audit::COLUMNS);
    all(connection, &sql, [before, limit], |row| audit::entry(row))
}
