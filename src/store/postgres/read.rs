//! Reads what people look at: deliveries, runs, counts and the audit log.

use std::collections::HashMap;

use jiff::Timestamp;
use uuid::Uuid;

use super::connection::Connection;
use super::values::{millis, params, text, uuid};
use crate::model::{DeliveryId, IdPrefix, RunId};
use crate::store::StoreFault;
use crate::store::tables::runs::{
    ENVIRONMENT, brief, counts as read_counts, environment, in_short,
};
use crate::store::tables::{
    Row as _, acts, attempts, audit, deliveries as table, lately, pauses, queue,
};
use crate::store::{
    Audited, Counts, Delivery, DeliveryFilter, DeliverySummary, Failures, Lately, MOST_LIKE, Pause,
    Queue, Reading, RouteFile, Run, RunBrief, RunFilter,
};

const BRIEF: &str = brief!("runs.delivery");

/// Most rows that one list gives: a thousand, and one more that tells that there are more.
const MOST: usize = 1001;
/// Most runs that are read for the deliveries of one list. Processes that accept may write any number.
const MOST_RUNS: usize = 100_000;

/// The runs of these deliveries, in the order of acceptance.
pub(super) async fn runs_of(
    connection: &Connection,
    deliveries: &[Uuid],
) -> Result<Vec<RunBrief>, StoreFault> {
    let sql =
        format!("SELECT {BRIEF} FROM runs WHERE delivery = ANY($1) ORDER BY seq LIMIT {MOST_RUNS}");
    let found = connection.query(&sql, params![deliveries.to_vec()]).await?;
    found.iter().map(in_short).collect()
}

/// One delivery with its content and runs. Call it in a snapshot, so that the runs belong to the delivery as
/// shown.
pub(super) async fn delivery(
    connection: &Connection,
    id: DeliveryId,
    reading: Reading,
) -> Result<Option<Delivery>, StoreFault> {
    let (summary, content) = (table::SUMMARY, table::content(reading));
    let sql = format!("SELECT {summary}, {content} FROM deliveries WHERE id = $1");
    let key = uuid(id.as_bytes());
    let Some(row) = connection.one(&sql, params![key]).await? else { return Ok(None) };
    let mut runs = Vec::new();
    for brief in runs_of(connection, &[key]).await? {
        runs.extend(run(connection, brief.id).await?);
    }
    table::whole(&row, runs, reading).map(Some)
}

/// Deliveries, newest first.
pub(super) async fn deliveries(
    connection: &Connection,
    filter: &DeliveryFilter,
) -> Result<Vec<DeliverySummary>, StoreFault> {
    let before = filter.before.map(|id| uuid(id.as_bytes()));
    let sql = format!(
        "SELECT {} FROM deliveries WHERE ($1::text IS NULL OR source = $1) \
         AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3",
        table::SUMMARY
    );
    let source = filter.source.as_deref().map(text);
    let found = connection.query(&sql, params![source, before, limit(filter.limit)]).await?;
    let mut found: Vec<DeliverySummary> =
        found.iter().map(table::summary).collect::<Result<_, _>>()?;
    let ids: Vec<Uuid> = found.iter().map(|delivery| uuid(delivery.id.as_bytes())).collect();
    let mut runs = HashMap::<DeliveryId, Vec<RunBrief>>::new();
    for run in runs_of(connection, &ids).await? {
        runs.entry(run.delivery).or_default().push(run);
    }
    for delivery in &mut found {
        delivery.runs = runs.remove(&delivery.id).unwrap_or_default();
    }
    Ok(found)
}

/// The first ids of a table that begin so. The table's name is a literal of the caller.
pub(super) async fn ids_like(
    connection: &Connection,
    table: &str,
    prefix: &IdPrefix,
) -> Result<Vec<[u8; 16]>, StoreFault> {
    let (low, high) = prefix.range();
    let sql =
        format!("SELECT id FROM {table} WHERE id BETWEEN $1 AND $2 ORDER BY id LIMIT {MOST_LIKE}");
    let found = connection.query(&sql, params![uuid(&low), uuid(&high)]).await?;
    found.iter().map(|row| row.id("id")).collect()
}

/// One run with its variables, attempts and acts.
pub(super) async fn run(connection: &Connection, id: RunId) -> Result<Option<Run>, StoreFault> {
    let key = uuid(id.as_bytes());
    let sql = format!("SELECT {BRIEF}, {ENVIRONMENT} FROM runs WHERE id = $1");
    let Some(row) = connection.one(&sql, params![key]).await? else { return Ok(None) };
    let tries =
        format!("SELECT {} FROM attempts WHERE run = $1 ORDER BY number", attempts::COLUMNS);
    let tries = connection.query(&tries, params![key]).await?;
    let said = format!("SELECT {} FROM acts WHERE run = $1 ORDER BY seq", acts::COLUMNS);
    let said = connection.query(&said, params![key]).await?;
    Ok(Some(Run {
        brief: in_short(&row)?,
        environment: environment(&row)?,
        tries: tries.iter().map(attempts::attempt).collect::<Result<_, _>>()?,
        acts: said.iter().map(acts::act).collect::<Result<_, _>>()?,
    }))
}

/// Runs, newest first.
pub(super) async fn runs(
    connection: &Connection,
    filter: &RunFilter,
) -> Result<Vec<RunBrief>, StoreFault> {
    // The state is part of the text: with a parameter, the planner could not use an index over one state.
    let state = filter
        .state
        .map_or_else(|| "true".to_owned(), |state| format!("state = '{}'", state.as_str()));
    let before = filter.before.map(|id| uuid(id.as_bytes()));
    let sql = format!(
        "SELECT {BRIEF} FROM runs WHERE {state} AND ($1::text IS NULL OR job = $1) \
         AND ($2::uuid IS NULL OR seq < (SELECT seq FROM runs WHERE id = $2)) \
         ORDER BY seq DESC LIMIT $3"
    );
    let job = filter.job.as_deref().map(text);
    let found = connection.query(&sql, params![job, before, limit(filter.limit)]).await?;
    found.iter().map(in_short).collect()
}

fn limit(asked: usize) -> i64 {
    i64::try_from(asked.clamp(1, MOST)).unwrap_or(i64::MAX)
}

/// How many runs are in each state that is not final. Each number comes from an index over that state alone.
pub(super) async fn counts(connection: &Connection) -> Result<Counts, StoreFault> {
    let sql = "SELECT (SELECT count(*) FROM runs WHERE blocked = 1 AND state = 'waiting') AS waiting, \
                 (SELECT count(*) FROM runs WHERE state = 'queued') AS queued, \
                 (SELECT count(*) FROM runs WHERE state = 'sending') AS sending, \
                 (SELECT count(*) FROM runs WHERE state = 'held') AS held, \
                 (SELECT min(accepted_at) FROM runs WHERE state = 'queued') AS oldest_queued, \
                 (SELECT min(accepted_at) FROM runs WHERE state = 'held') AS oldest_held";
    let row = connection.one(sql, params![]).await?;
    row.map_or_else(|| Ok(Counts::default()), |row| read_counts(&row))
}

/// What has not ended, by job and state, and the backlogs. Call it in a snapshot.
pub(super) async fn queue(connection: &Connection) -> Result<Queue, StoreFault> {
    let rows = connection.query(queue::ROWS, params![]).await?;
    let backlogs = connection.query(queue::BACKLOGS, params![]).await?;
    Ok(Queue {
        rows: rows.iter().map(queue::row).collect::<Result<_, _>>()?,
        backlogs: backlogs.iter().map(queue::backlog).collect::<Result<_, _>>()?,
    })
}

/// The kept versions of route files.
pub(super) async fn route_files(connection: &Connection) -> Result<Vec<RouteFile>, StoreFault> {
    connection.query(queue::ROUTE_FILES, params![]).await?.iter().map(queue::route_file).collect()
}

/// Keeps these versions of route files, and forgets files of other names.
pub(super) async fn keep_route_files(
    connection: &Connection,
    files: &[(String, String)],
    names: &[String],
    now: Timestamp,
) -> Result<(), StoreFault> {
    let names: Vec<&str> = names.iter().map(|name| &**name).collect();
    let others = "DELETE FROM route_files WHERE NOT (name = ANY ($1))";
    connection.execute(others, params![names]).await?;
    for (name, text) in files {
        connection.execute(queue::KEEP_ROUTE_FILE, params![&**name, &**text, millis(now)]).await?;
    }
    Ok(())
}

/// How many queued runs of a job have a deadline before this moment.
pub(super) async fn late(
    connection: &Connection,
    job: &str,
    before: Timestamp,
) -> Result<u64, StoreFault> {
    let row = connection.one(queue::LATE, params![text(job), millis(before)]).await?;
    row.map_or(Ok(0), |row| row.count("runs"))
}

/// The runs that have failed since this moment, by job.
pub(super) async fn failed_since(
    connection: &Connection,
    since: Timestamp,
) -> Result<Vec<Failures>, StoreFault> {
    connection
        .query(queue::FAILED, params![millis(since)])
        .await?
        .iter()
        .map(queue::failures)
        .collect()
}

/// What happened lately, by source and by route. Call it in a snapshot.
pub(super) async fn lately(
    connection: &Connection,
    since: Timestamp,
) -> Result<Lately, StoreFault> {
    let since = millis(since);
    let sources = connection.query(&lately::sources("id"), params![since]).await?;
    let runs = connection.query(&lately::runs(), params![since]).await?;
    let sources = sources.iter().map(lately::source).collect::<Result<_, _>>()?;
    let runs = runs.iter().map(lately::run).collect::<Result<_, _>>()?;
    let ((sources, deliveries_since), (runs, runs_since)) =
        (lately::whole(sources), lately::whole(runs));
    Ok(Lately { sources, deliveries_since, runs, runs_since })
}

/// How many runs have been held since before a moment.
pub(super) async fn held_since(
    connection: &Connection,
    before: Timestamp,
) -> Result<u64, StoreFault> {
    let sql = "SELECT count(*) AS held FROM runs WHERE state = 'held' AND changed_at < $1";
    let row = connection.one(sql, params![millis(before)]).await?;
    row.map_or(Ok(0), |row| row.count("held"))
}

/// All pauses.
pub(super) async fn paused(connection: &Connection) -> Result<Vec<Pause>, StoreFault> {
    let sql = format!("SELECT {} FROM pauses ORDER BY kind, name", pauses::COLUMNS);
    connection.query(&sql, params![]).await?.iter().map(pauses::pause).collect()
}

/// Entries of the audit log that are older than `before`, newest first.
pub(super) async fn audited(
    connection: &Connection,
    before: Option<u64>,
    limit: usize,
) -> Result<Vec<Audited>, StoreFault> {
    let before = before.and_then(|number| i64::try_from(number).ok()).unwrap_or(i64::MAX);
    let limit = i64::try_from(limit.clamp(1, audit::MOST)).unwrap_or(i64::MAX);
    let sql =
        format!("SELECT {} FROM audit WHERE seq < $1 ORDER BY seq DESC LIMIT $2", audit::COLUMNS);
    connection.query(&sql, params![before, limit]).await?.iter().map(audit::entry).collect()
}
