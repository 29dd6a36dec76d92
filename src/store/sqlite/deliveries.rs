//! Inserts deliveries. A claim on source and key makes sure that each is kept once.

use rusqlite::{Connection, params};

use super::values::{execute, millis, one};
use crate::clock::later;
use crate::model::DeliveryId;
use crate::store::pack::Packed;
use crate::store::tables::Row as _;
use crate::store::{NewDelivery, REPEAT_WINDOW, StoreFault};

/// Inserts a delivery without its runs, if its source and key are not claimed. Otherwise it counts the repeat
/// and gives the delivery that has the claim.
pub(super) fn keep(
    connection: &Connection,
    packed: &Packed,
) -> Result<Option<DeliveryId>, StoreFault> {
    let delivery = &packed.delivery;
    if let Some((seq, first)) = claimed(connection, delivery)? {
        execute(connection, "UPDATE deliveries SET repeats = repeats + 1 WHERE seq = ?1", [seq])?;
        return Ok(Some(first));
    }
    insert(connection, packed)?;
    // Replaces an expired claim; a valid one was found above, in the same transaction.
    let claim = "INSERT INTO claims (source, delivery_key, delivery, expires_at) \
                 VALUES (?1, ?2, ?3, ?4) ON CONFLICT (source, delivery_key) \
                 DO UPDATE SET delivery = excluded.delivery, expires_at = excluded.expires_at";
    let (seq, until) = (connection.last_insert_rowid(), later(delivery.received_at, REPEAT_WINDOW));
    execute(connection, claim, params![delivery.source, delivery.key, seq, millis(until)])?;
    Ok(None)
}

/// The delivery that has the claim on this source and key, if any.
fn claimed(
    connection: &Connection,
    delivery: &NewDelivery,
) -> Result<Option<(i64, DeliveryId)>, StoreFault> {
    one(
        connection,
        "SELECT deliveries.seq, deliveries.id FROM claims \
         JOIN deliveries ON deliveries.seq = claims.delivery \
         WHERE claims.source = ?1 AND claims.delivery_key = ?2 AND claims.expires_at > ?3",
        params![delivery.source, delivery.key, millis(delivery.received_at)],
        |row| Ok((row.integer("seq")?, DeliveryId::from_bytes(row.id("id")?))),
    )
}

fn insert(connection: &Connection, packed: &Packed) -> Result<(), StoreFault> {
    let delivery = &packed.delivery;
    execute(
        connection,
        "INSERT INTO deliveries (id, source, provider, kind, name, delivery_key, handshake, \
         received_at, remote, query, size, headers, explanation, body, claims) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        params![
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
        ],
    )
    .map(drop)
}
