//! Erases the content of a delivery. The connection overwrites what it frees (`secure_delete`), so nothing of
//! it stays in the file; what the log still holds goes with the log.

use rusqlite::{Connection, params};

use super::values::{execute, millis};
use crate::model::DeliveryId;
use crate::store::tables::deliveries::{ERASED_ATTEMPT, ERASED_DELIVERY, ERASED_RUN};
use crate::store::{Act, StoreFault};

/// Removes what the rows of a delivery, its runs and their attempts hold of its content.
pub(super) fn content(
    connection: &Connection,
    id: DeliveryId,
    act: &Act,
) -> Result<(), StoreFault> {
    let seq = "(SELECT seq FROM deliveries WHERE id = ?1)";
    let runs = format!("UPDATE runs SET {ERASED_RUN} WHERE delivery = {seq}");
    execute(connection, &runs, [id.as_bytes()])?;
    let attempts = format!(
        "UPDATE attempts SET {ERASED_ATTEMPT} WHERE run IN (SELECT seq FROM runs WHERE delivery = {seq})"
    );
    execute(connection, &attempts, [id.as_bytes()])?;
    let delivery = format!(
        "UPDATE deliveries SET {ERASED_DELIVERY}, stripped = 1, headers = x'', explanation = x'', \
         body = x'', erased_at = coalesce(erased_at, ?2), erased_by = coalesce(erased_by, ?3) \
         WHERE id = ?1"
    );
    execute(connection, &delivery, params![id.as_bytes(), millis(act.at), act.who]).map(drop)
}
