//! Retention, in small steps: each step is one short transaction.
//!
//! A delivery is removed when it is older than `keep` and none of its runs waits, is being sent or is held.
//! Above the size bound the oldest are removed sooner. A delivery whose repeats must still be recognized
//! stays, but loses its content. Rows are removed at the old end of every table and index, so that whole
//! pages become free and are used again for new rows.
//!
//! The size is that of the kept data, not of the files. It is a running total in the table `usage`. Each step
//! updates it and keeps its row locked, so that only one replica applies retention at a time.

use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use super::claims;
use super::connection::Connection;
use super::values::{get, millis, params, uuid};
use crate::clock::earlier;
use crate::store::rules;
use crate::store::tables::Row as _;
use crate::store::{REPEAT_WINDOW, Retention, RetentionStep, StoreFault};

/// Deliveries that one step removes at most. It is a literal in the statements, since with a parameter the
/// planner would read whole tables.
const STEP: usize = 500;
/// The longest time from the making of a delivery's id to its commit.
const ON_ITS_WAY: Duration = Duration::from_secs(30);

/// `OFFSET 0` keeps the planner from computing it for all deliveries at once.
const OVER: &str = "NOT EXISTS (SELECT 1 FROM runs WHERE runs.delivery = deliveries.id \
    AND runs.state IN ('waiting', 'queued', 'sending', 'held') OFFSET 0)";

/// One bounded step. Does nothing where another replica is applying retention.
pub(super) async fn step(
    connection: &Connection,
    retention: Retention,
    now: Timestamp,
) -> Result<RetentionStep, StoreFault> {
    let Some((up_to, counted)) = bring_up_to_date(connection, now).await? else {
        return Ok(RetentionStep::default());
    };
    let mut bytes = counted;
    let (removed, freed) = remove_older(connection, earlier(now, retention.keep), None).await?;
    bytes = bytes.saturating_sub(freed);
    let mut step = RetentionStep { removed, more: removed == STEP, ..RetentionStep::default() };
    if bytes > retention.max_size {
        let (removed, freed) =
            remove_older(connection, earlier(now, REPEAT_WINDOW), Some(now)).await?;
        bytes = bytes.saturating_sub(freed);
        step.removed += removed;
        if removed == 0 {
            let (stripped, freed) = strip(connection, bytes - retention.max_size).await?;
            bytes = bytes.saturating_sub(freed);
            step.stripped = stripped;
        }
        step.more = removed + step.stripped > 0;
        step.over = !step.more;
    }
    step.bytes = bytes;
    let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
    connection.execute("UPDATE usage SET up_to = $1, bytes = $2", params![up_to, bytes]).await?;
    claims::sweep(connection, now).await?;
    Ok(step)
}

/// Adds the deliveries since the last step to the total, except young ones that may not be committed yet.
/// `None` where another replica is applying retention.
async fn bring_up_to_date(
    connection: &Connection,
    now: Timestamp,
) -> Result<Option<(Uuid, u64)>, StoreFault> {
    let row =
        connection.one("SELECT up_to, bytes FROM usage FOR UPDATE SKIP LOCKED", params![]).await?;
    let Some(row) = row else { return Ok(None) };
    let (before, bytes): (Uuid, i64) = (get(&row, 0)?, get(&row, 1)?);
    let up_to = uuid(&rules::first_id_of(earlier(now, ON_ITS_WAY))).max(before);
    let row = connection
        .one(
            "SELECT coalesce(sum(stored), 0)::bigint FROM deliveries WHERE id >= $1 AND id < $2",
            params![before, up_to],
        )
        .await?;
    let added: i64 = row.map_or(Ok(0), |row| get(&row, 0))?;
    Ok(Some((up_to, u64::try_from(bytes.saturating_add(added)).unwrap_or(0))))
}

/// Removes a bounded number of deliveries that are older than `moment`, and, where `now` is given, whose
/// repeats need not be recognized any more. It locks them and then checks again
/// that they may be removed, since a replay or a repeat takes the same lock.
async fn remove_older(
    connection: &Connection,
    moment: Timestamp,
    now: Option<Timestamp>,
) -> Result<(usize, u64), StoreFault> {
    let old = locked(
        connection,
        &format!(
            "SELECT id FROM deliveries WHERE id < $1 AND received_at < $2 AND {OVER} \
             AND ($3::bigint IS NULL OR NOT EXISTS (SELECT 1 FROM claims \
               WHERE claims.source = deliveries.source AND claims.delivery = deliveries.id \
               AND claims.delivery_key = deliveries.delivery_key AND claims.expires_at > $3 OFFSET 0)) \
             ORDER BY id LIMIT {STEP} FOR UPDATE SKIP LOCKED"
        ),
        params![uuid(&rules::first_id_of(moment)), millis(moment), now.map(millis)],
    )
    .await?;
    let old = without_locked_rows(connection, old).await?;
    if old.is_empty() {
        return Ok((0, 0));
    }
    let row = connection
        .one(
            &format!(
                "WITH gone AS (DELETE FROM deliveries WHERE id = ANY ($1) AND {OVER} \
                          RETURNING source, delivery_key, id, stored), \
                 free AS (DELETE FROM claims WHERE (source, delivery_key) IN \
                            (SELECT source, delivery_key FROM gone LIMIT {STEP}) \
                          AND delivery = ANY ($1)), \
                 ended AS (DELETE FROM runs WHERE delivery IN (SELECT id FROM gone LIMIT {STEP}) \
                           RETURNING id), \
                 tried AS (DELETE FROM attempts WHERE run IN (SELECT id FROM ended LIMIT 100000)), \
                 said AS (DELETE FROM acts WHERE run IN (SELECT id FROM ended LIMIT 100000)) \
                 SELECT count(*) AS removed, coalesce(sum(stored), 0)::bigint AS freed FROM gone"
            ),
            params![old],
        )
        .await?;
    counted(row)
}

/// The deliveries among these whose runs and claims no other transaction has locked; locks them. A process of role
/// `ingest` can lock such rows for as long as it likes, and must not keep the others from being removed.
async fn without_locked_rows(
    connection: &Connection,
    old: Vec<Uuid>,
) -> Result<Vec<Uuid>, StoreFault> {
    if old.is_empty() {
        return Ok(old);
    }
    let sql = "WITH free_runs AS (SELECT seq FROM runs WHERE delivery = ANY ($1) FOR UPDATE SKIP LOCKED), \
         own AS (SELECT claims.source, claims.delivery_key, claims.delivery FROM deliveries JOIN claims \
             ON claims.source = deliveries.source AND claims.delivery_key = deliveries.delivery_key \
             AND claims.delivery = deliveries.id WHERE deliveries.id = ANY ($1)), \
         free_claims AS (SELECT claims.delivery FROM claims JOIN own USING (source, delivery_key, delivery) \
             FOR UPDATE OF claims SKIP LOCKED) \
         SELECT delivery FROM runs WHERE delivery = ANY ($1) AND seq NOT IN (SELECT seq FROM free_runs) \
         UNION SELECT delivery FROM own WHERE delivery NOT IN (SELECT delivery FROM free_claims)";
    let taken = locked(connection, sql, params![old]).await?;
    Ok(old.into_iter().filter(|id| !taken.contains(id)).collect())
}

async fn strip(connection: &Connection, least: u64) -> Result<(usize, u64), StoreFault> {
    let oldest = locked(
        connection,
        &format!(
            "SELECT id FROM deliveries WHERE NOT stripped AND {OVER} \
             ORDER BY id LIMIT {STEP} FOR UPDATE SKIP LOCKED"
        ),
        params![],
    )
    .await?;
    let row = connection
        .one(
            &format!(
                "WITH oldest AS (SELECT id, stored - $3 AS content, \
                        sum(stored - $3) OVER (ORDER BY id) - (stored - $3) AS before \
                        FROM deliveries WHERE id = ANY ($1) AND {OVER}), \
                 stripped AS (UPDATE deliveries SET stripped = true, stored = $3, headers = '', \
                        explanation = '', body = '', claims = NULL \
                        FROM oldest WHERE deliveries.id = oldest.id AND oldest.before < $2 \
                        RETURNING oldest.content) \
                 SELECT count(*) AS removed, coalesce(sum(content), 0)::bigint AS freed FROM stripped"
            ),
            params![oldest, i64::try_from(least).unwrap_or(i64::MAX), super::deliveries::ROWS],
        )
        .await?;
    counted(row)
}

async fn locked(
    connection: &Connection,
    sql: &str,
    params: &[super::values::Param<'_>],
) -> Result<Vec<Uuid>, StoreFault> {
    connection.query(sql, params).await?.iter().map(|row| get(row, 0)).collect()
}

fn counted(row: Option<tokio_postgres::Row>) -> Result<(usize, u64), StoreFault> {
    let Some(row) = row else { return Ok((0, 0)) };
    Ok((row.count("removed")?, row.count("freed")?))
}
