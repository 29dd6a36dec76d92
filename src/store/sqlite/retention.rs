//! Retention, in small steps: each step is one short write among the others.
//!
//! A delivery is removed when it is older than `keep` and none of its runs waits, is being sent or is held.
//! Above the size bound the oldest are removed sooner. A delivery whose repeats must still be recognized
//! stays, but loses its content.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::values::{fault, millis};
use crate::clock::earlier;
use crate::store::rules;
use crate::store::{REPEAT_WINDOW, StoreFault};
use crate::store::{Retention, RetentionStep};

/// Deliveries that one step removes at most.
const STEP: usize = 100;
/// Pages that one step gives back to the file system at most.
const PAGES: u32 = 256;

const OVER: &str = "NOT EXISTS (SELECT 1 FROM runs WHERE runs.delivery = deliveries.seq \
    AND runs.state IN ('waiting', 'queued', 'sending', 'held'))";

/// One bounded step.
pub(super) fn step(
    connection: &Connection,
    retention: Retention,
    now: Timestamp,
) -> Result<RetentionStep, StoreFault> {
    let mut step = RetentionStep {
        removed: remove(connection, earlier(now, retention.keep), &older(), None).map_err(fault)?,
        ..RetentionStep::default()
    };
    step.more = step.removed == STEP;
    step.bytes = bytes_in_use(connection).map_err(fault)?;
    if step.bytes > retention.max_size {
        let forgettable = earlier(now, REPEAT_WINDOW);
        let removed = remove(connection, forgettable, &forgotten(), Some(now)).map_err(fault)?;
        step.removed += removed;
        if removed == 0 {
            step.stripped = strip(connection).map_err(fault)?;
        }
        step.more = removed + step.stripped > 0;
        step.over = !step.more;
        step.bytes = bytes_in_use(connection).map_err(fault)?;
    }
    if step.removed + step.stripped > 0 {
        connection.pragma(None, "incremental_vacuum", PAGES, |_| Ok(())).map_err(fault)?;
    }
    Ok(step)
}

/// Removes a bounded number of deliveries that are older than `moment`; gives how many.
fn remove(
    connection: &Connection,
    moment: Timestamp,
    which: &str,
    now: Option<Timestamp>,
) -> rusqlite::Result<usize> {
    let sql = format!("DELETE FROM deliveries WHERE seq IN ({which})");
    let mut delete = connection.prepare_cached(&sql)?;
    let (id, at) = (rules::first_id_of(moment), millis(moment));
    match now {
        None => delete.execute(params![id, at, STEP]),
        Some(now) => delete.execute(params![id, at, STEP, millis(now)]),
    }
}

/// Deliveries that are older than a moment. Ids begin with the time, so the condition on the id keeps SQLite
/// from reading younger deliveries.
fn older() -> String {
    format!(
        "SELECT seq FROM deliveries WHERE id < ?1 AND received_at < ?2 AND {OVER} ORDER BY id LIMIT ?3"
    )
}

/// Those of them whose repeats need not be recognized any more.
fn forgotten() -> String {
    format!(
        "SELECT seq FROM deliveries WHERE id < ?1 AND received_at < ?2 AND {OVER} \
         AND NOT EXISTS (SELECT 1 FROM claims WHERE claims.delivery = deliveries.seq \
         AND claims.expires_at > ?4) ORDER BY id LIMIT ?3"
    )
}

fn strip(connection: &Connection) -> rusqlite::Result<usize> {
    connection
        .prepare_cached(&format!(
            "UPDATE deliveries SET stripped = 1, headers = x'', explanation = x'', body = x'', claims = NULL \
             WHERE seq IN (SELECT seq FROM deliveries WHERE stripped = 0 AND {OVER} \
             ORDER BY seq LIMIT ?1)"
        ))?
        .execute([STEP])
}

/// Bytes of the pages in use. Free pages do not count, since they are used again before the file grows.
fn bytes_in_use(connection: &Connection) -> rusqlite::Result<u64> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, u64>(0));
    let pages = pragma("page_count")?.saturating_sub(pragma("freelist_count")?);
    Ok(pages * pragma("page_size")?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::open::plan_of;

    #[test]
    fn what_is_young_is_not_looked_at() {
        let forgotten = plan_of(&forgotten(), params![[0_u8; 16], 0, STEP, 0]);
        for plan in [plan_of(&older(), params![[0_u8; 16], 0, STEP]), forgotten] {
            assert!(plan[0].contains("USING INDEX") && plan[0].contains("(id<?)"), "{plan:?}");
            assert!(
                plan.iter().all(|step| !step.starts_with("SCAN") && !step.contains("TEMP")),
                "{plan:?}"
            );
        }
    }
}
