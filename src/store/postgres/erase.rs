//! Erases the content of a delivery. No statement reads it any more afterwards; the server writes over its
//! bytes when it needs the room, or when the tables are written anew (`VACUUM FULL`).

use super::connection::Connection;
use super::deliveries::ROWS;
use super::values::{get, millis, params, uuid};
use crate::model::DeliveryId;
use crate::store::tables::deliveries::{ERASED_ATTEMPT, ERASED_DELIVERY, ERASED_RUN};
use crate::store::{Act, StoreFault};

/// Where bytes of an erased delivery may still be.
pub(super) const LEFT: &str = "dead rows of the tables, until the server uses their room again or the owner \
    runs VACUUM FULL on deliveries, runs and attempts; the server's write-ahead log, its standbys and backups";

/// Removes what the rows of a delivery, its runs and their attempts hold of its content.
pub(super) async fn content(
    connection: &Connection,
    id: DeliveryId,
    act: &Act,
) -> Result<(), StoreFault> {
    let key = uuid(id.as_bytes());
    let runs = format!("UPDATE runs SET {ERASED_RUN} WHERE delivery = $1");
    connection.execute(&runs, params![key]).await?;
    let attempts = format!(
        "UPDATE attempts SET {ERASED_ATTEMPT} \
         WHERE run IN (SELECT id FROM runs WHERE delivery = $1)"
    );
    connection.execute(&attempts, params![key]).await?;
    let stored =
        connection.one("SELECT stored FROM deliveries WHERE id = $1", params![key]).await?;
    let stored: i64 = stored.map_or(Ok(ROWS), |row| get(&row, 0))?;
    let delivery = format!(
        "UPDATE deliveries SET {ERASED_DELIVERY}, stripped = true, headers = '', explanation = '', \
         body = '', stored = $4, erased_at = coalesce(erased_at, $2), \
         erased_by = coalesce(erased_by, $3) WHERE id = $1"
    );
    connection.execute(&delivery, params![key, millis(act.at), &*act.who, ROWS]).await?;
    // The running total of what deliveries take up, as far as this one is a part of it.
    let freed = stored.saturating_sub(ROWS);
    let usage = "UPDATE usage SET bytes = greatest(bytes - $2, 0) WHERE up_to > $1";
    connection.execute(usage, params![key, freed]).await?;
    Ok(())
}
