//! Inserts deliveries. A claim on source and key makes sure that each is kept once.

use rusqlite::{Connection, params};

use super::values::{execute, millis, one};
use crate::model::DeliveryId;
use crate::store::pack::Packed;
use crate::store::rules::claims::Held;
use crate::store::statements::Claim;
use crate::store::tables::deliveries::{HELD, held};
use crate::store::{NewDelivery, StoreFault};

/// Inserts a delivery without its runs, if its claim is free. Otherwise it gives the delivery that has the
/// claim.
pub(super) fn keep(
    connection: &Connection,
    packed: &Packed,
    claim: &Claim<'_>,
) -> Result<Option<Held>, StoreFault> {
    let delivery = &packed.delivery;
    if let Some(held) = claimed(connection, delivery, claim)? {
        return Ok(Some(held));
    }
    insert(connection, packed, claim)?;
    // Replaces an expired claim; a valid one was found above, in the same transaction.
    let sql = "INSERT INTO claims (source, delivery_key, delivery, expires_at) \
               VALUES (?1, ?2, ?3, ?4) ON CONFLICT (source, delivery_key) \
               DO UPDATE SET delivery = excluded.delivery, expires_at = excluded.expires_at";
    let seq = connection.last_insert_rowid();
    execute(connection, sql, params![delivery.source, claim.key, seq, millis(claim.until)])?;
    Ok(None)
}

/// The delivery that has the claim on this source and key, if any.
fn claimed(
    connection: &Connection,
    delivery: &NewDelivery,
    claim: &Claim<'_>,
) -> Result<Option<Held>, StoreFault> {
    let sql = format!(
        "SELECT {HELD} FROM claims JOIN deliveries ON deliveries.seq = claims.delivery \
         WHERE claims.source = ?1 AND claims.delivery_key = ?2 AND claims.expires_at > ?3"
    );
    let values = params![delivery.source, claim.key, millis(delivery.received_at)];
    one(connection, &sql, values, |row| held(row))
}

fn insert(connection: &Connection, packed: &Packed, claim: &Claim<'_>) -> Result<(), StoreFault> {
    let delivery = &packed.delivery;
    execute(
        connection,
        "INSERT INTO deliveries (id, source, provider, kind, name, delivery_key, handshake, \
         received_at, remote, query, size, headers, explanation, body, claims, digest, same_id_as) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
        params![
            delivery.id.as_bytes(),
            delivery.source,
            delivery.provider,
            delivery.kind,
            delivery.name,
            claim.key,
            delivery.handshake,
            millis(delivery.received_at),
            delivery.remote,
            delivery.query,
            i64::try_from(packed.size).unwrap_or(i64::MAX),
            packed.headers,
            packed.explanation,
            packed.body,
            delivery.claims,
            delivery.digest.as_bytes(),
            claim.same_id_as.as_ref().map(DeliveryId::as_bytes),
        ],
    )
    .map(drop)
}
