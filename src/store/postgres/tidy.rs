//! Retention in small steps, beside the work: each step is one short transaction.
//!
//! A delivery goes when it is older than `keep` and none of its runs waits for anything. Above the
//! size bound the oldest go sooner; those too young to be forgotten as repeats give up their content
//! and stay. What goes is always at the old end of every table and index, so that whole pages fall
//! free, and are used again for what comes in.
//!
//! The size is that of what is kept, not that of the files: a running total, which whoever tidies
//! brings up to date and holds locked, so that replicas tidy one after the other.

use jiff::Timestamp;
use uuid::Uuid;

use super::link::Link;
use super::rows::{get, length, millis, params};
use crate::store::{REPEAT_WINDOW, Retention, StoreFault, Tidied};

/// Deliveries that one step removes at most.
const STEP: i64 = 500;

const OVER: &str = "NOT EXISTS (SELECT 1 FROM runs WHERE runs.delivery = deliveries.id \
    AND runs.state IN ('waiting', 'queued', 'sending', 'held'))";

/// One bounded step.
pub(super) async fn step(
    link: &Link,
    retention: Retention,
    now: Timestamp,
) -> Result<Tidied, StoreFault> {
    let (up_to, counted) = bring_up_to_date(link).await?;
    let mut bytes = counted;
    let (removed, freed) = remove_older(link, ago(now, retention.keep)).await?;
    bytes = bytes.saturating_sub(freed);
    let mut tidied = Tidied { removed, more: removed as i64 == STEP, ..Tidied::default() };
    if bytes > retention.max_size {
        let (removed, freed) = remove_older(link, ago(now, REPEAT_WINDOW)).await?;
        bytes = bytes.saturating_sub(freed);
        tidied.removed += removed;
        if removed == 0 {
            let (stripped, freed) = strip(link, bytes - retention.max_size).await?;
            bytes = bytes.saturating_sub(freed);
            tidied.stripped = stripped;
        }
        tidied.more = removed + tidied.stripped > 0;
        tidied.over = !tidied.more;
    }
    tidied.bytes = bytes;
    let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
    link.execute("UPDATE usage SET up_to = $1, bytes = $2", params![up_to, bytes]).await?;
    Ok(tidied)
}

/// Adds what has come in since the last step.
async fn bring_up_to_date(link: &Link) -> Result<(Uuid, u64), StoreFault> {
    let row = link
        .one("SELECT up_to, bytes FROM usage FOR UPDATE", params![])
        .await?
        .ok_or_else(|| StoreFault::Unusable("the table `usage` is empty".to_owned()))?;
    let (up_to, bytes): (Uuid, i64) = (get(&row, 0)?, get(&row, 1)?);
    let fresh = link
        .one(
            "SELECT id, (SELECT coalesce(sum(stored), 0)::bigint FROM deliveries WHERE id > $1) \
             FROM deliveries WHERE id > $1 ORDER BY id DESC LIMIT 1",
            params![up_to],
        )
        .await?;
    let (up_to, added) = match fresh {
        Some(row) => (get(&row, 0)?, get::<i64>(&row, 1)?),
        None => (up_to, 0),
    };
    Ok((up_to, u64::try_from(bytes.saturating_add(added)).unwrap_or(0)))
}

fn ago(now: Timestamp, by: std::time::Duration) -> i64 {
    millis(now).saturating_sub(length(by))
}

async fn remove_older(link: &Link, moment: i64) -> Result<(usize, u64), StoreFault> {
    let row = link
        .one(
            &format!(
                "WITH old AS (SELECT id FROM deliveries WHERE received_at < $1 AND {OVER} \
                              ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED), \
                 gone AS (DELETE FROM deliveries WHERE id IN (SELECT id FROM old) \
                          RETURNING source, delivery_key, id, stored), \
                 free AS (DELETE FROM claims USING gone WHERE claims.source = gone.source \
                          AND claims.delivery_key = gone.delivery_key AND claims.delivery = gone.id), \
                 ended AS (DELETE FROM runs WHERE delivery IN (SELECT id FROM old) RETURNING id), \
                 tried AS (DELETE FROM attempts WHERE run IN (SELECT id FROM ended)), \
                 said AS (DELETE FROM acts WHERE run IN (SELECT id FROM ended)) \
                 SELECT count(*), coalesce(sum(stored), 0)::bigint FROM gone"
            ),
            params![moment, STEP],
        )
        .await?;
    counted(row)
}

async fn strip(link: &Link, least: u64) -> Result<(usize, u64), StoreFault> {
    let row = link
        .one(
            &format!(
                "WITH oldest AS (SELECT id, stored - $3 AS content, \
                        sum(stored - $3) OVER (ORDER BY id) - (stored - $3) AS before \
                        FROM (SELECT id, stored FROM deliveries WHERE NOT stripped AND {OVER} \
                              ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED) AS candidates), \
                 stripped AS (UPDATE deliveries SET stripped = true, stored = $3, headers = '', \
                        explanation = '', body = '', claims = NULL \
                        FROM oldest WHERE deliveries.id = oldest.id AND oldest.before < $2 \
                        RETURNING oldest.content) \
                 SELECT count(*), coalesce(sum(content), 0)::bigint FROM stripped"
            ),
            params![STEP, i64::try_from(least).unwrap_or(i64::MAX), super::accept::ROWS],
        )
        .await?;
    counted(row)
}

fn counted(row: Option<tokio_postgres::Row>) -> Result<(usize, u64), StoreFault> {
    let Some(row) = row else { return Ok((0, 0)) };
    Ok((super::rows::count(&row, 0)?, super::rows::count(&row, 1)?))
}
