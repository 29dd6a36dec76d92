//! Looks through the claims, a bounded number at each step of retention, and mends what no program of ours leaves
//! there: a claim whose delivery is not there is removed, and one that lasts longer than its source's window is
//! cut. A process of role `ingest` may write claims; `deploy/postgres/roles.sql` bounds what it writes, and this
//! is for what was written before, or without it.

use jiff::Timestamp;

use super::connection::Connection;
use super::replicas::longest_window;
use super::values::{millis, params};
use crate::store::StoreFault;
use crate::store::tables::Row as _;

/// Claims that one step looks at.
const PAGE: i64 = 1000;
/// Clocks of processes and of the database may differ by this much, in milliseconds.
const CLOCKS: i64 = 24 * 3600 * 1000;
/// The shortest time that a claim may last without a look at the configuration, in milliseconds.
const WEEK: i64 = 7 * 24 * 3600 * 1000;

/// Looks at the next claims, and begins again after the last. Needs the lock on the row of `usage`.
pub(super) async fn sweep(connection: &Connection, now: Timestamp) -> Result<(), StoreFault> {
    let longest = longest_window!("claims.source");
    // Rows that another transaction has locked are left for the next round.
    let sql = format!(
        "WITH page AS (SELECT source, delivery_key, delivery, expires_at FROM claims \
             WHERE (source, delivery_key) > (SELECT coalesce(claims_source, ''), coalesce(claims_key, '') FROM usage) \
             ORDER BY source, delivery_key LIMIT {PAGE}), \
         strays AS (SELECT claims.source, claims.delivery_key FROM claims JOIN page \
             USING (source, delivery_key, delivery) WHERE NOT EXISTS \
               (SELECT 1 FROM deliveries WHERE deliveries.id = page.delivery OFFSET 0) \
             FOR UPDATE OF claims SKIP LOCKED), \
         removed AS (DELETE FROM claims USING strays WHERE claims.source = strays.source \
             AND claims.delivery_key = strays.delivery_key), \
         long AS (SELECT claims.source, claims.delivery_key, $1 + {longest} AS until FROM claims JOIN page \
             USING (source, delivery_key, delivery) WHERE page.expires_at > $1 + {WEEK} + {CLOCKS} \
             AND (source, delivery_key) NOT IN (SELECT source, delivery_key FROM strays) \
             AND page.expires_at > $1 + {CLOCKS} + {longest} FOR UPDATE OF claims SKIP LOCKED), \
         cut AS (UPDATE claims SET expires_at = long.until FROM long WHERE claims.source = long.source \
             AND claims.delivery_key = long.delivery_key) \
         SELECT source, delivery_key, (SELECT count(*) FROM page) AS looked_at FROM page \
         ORDER BY source DESC, delivery_key DESC LIMIT 1"
    );
    let last = connection.one(&sql, params![millis(now)]).await?;
    let next = match last {
        Some(row) if row.integer("looked_at")? == PAGE => {
            Some((row.text("source")?, row.text("delivery_key")?))
        }
        _ => None,
    };
    let (source, key) = next.unzip();
    let sql = "UPDATE usage SET claims_source = $1, claims_key = $2";
    connection.execute(sql, params![source, key]).await?;
    Ok(())
}
