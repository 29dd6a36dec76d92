//! Inserts deliveries. A claim on source and key makes sure that each is kept once. Deliveries that arrive
//! together are inserted by one statement, which is one transaction and one flush.

use std::collections::HashSet;

use jiff::Timestamp;
use uuid::Uuid;

use super::connection::{Connection, Refused};
use super::runs::NewRuns;
use super::values::{Param, get, millis, params, text, uuid};
use super::{CHANNEL, RUNS};
use crate::clock::later;
use crate::model::{DeliveryId, RunState};
use crate::store::pack::Packed;
use crate::store::rules::claims::Held;
use crate::store::rules::coalesce::Place;
use crate::store::rules::new::row;
use crate::store::statements::Claim;
use crate::store::tables::Row as _;
use crate::store::tables::deliveries::{HELD, held};
use crate::store::{NewDelivery, StoreFault};

/// Estimated bytes of a delivery besides its content: its row, its claim, its run and their indexes.
pub(super) const ROWS: i64 = 1024;

/// Whether the one statement can insert it with its runs, since none of them can supersede another run.
pub(super) fn is_plain(packed: &Packed) -> bool {
    packed.delivery.runs.iter().all(|run| run.latest.is_none())
}

/// The deliveries of a batch, as one array per column.
#[derive(Default)]
struct Deliveries<'a> {
    id: Vec<Uuid>,
    source: Vec<&'a str>,
    provider: Vec<&'a str>,
    kind: Vec<String>,
    name: Vec<Option<String>>,
    key: Vec<String>,
    handshake: Vec<bool>,
    received_at: Vec<i64>,
    remote: Vec<Option<String>>,
    query: Vec<String>,
    size: Vec<i64>,
    stored: Vec<i64>,
    headers: Vec<&'a [u8]>,
    explanation: Vec<&'a [u8]>,
    body: Vec<&'a [u8]>,
    claims: Vec<Option<String>>,
    expires_at: Vec<i64>,
    digest: Vec<&'a [u8]>,
    same_id_as: Vec<Option<Uuid>>,
}

/// Number of parameters before those of the runs.
const BEFORE: usize = 23;

const KEEP: &str = "\
WITH new AS (
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bool[],
        $8::bigint[], $9::text[], $10::text[], $11::bigint[], $12::bigint[], $13::bytea[], $14::bytea[],
        $15::bytea[], $16::text[], $17::bigint[], $18::bytea[], $19::uuid[])
    AS new (id, source, provider, kind, name, delivery_key, handshake, received_at, remote, query, size,
        stored, headers, explanation, body, claims, expires_at, digest, same_id_as)
), claimed AS (
    -- In one order everywhere, so that two replicas never wait for each other.
    INSERT INTO claims (source, delivery_key, delivery, expires_at)
    SELECT source, delivery_key, id, expires_at FROM new ORDER BY source, delivery_key
    ON CONFLICT (source, delivery_key)
        DO UPDATE SET delivery = excluded.delivery, expires_at = excluded.expires_at
        WHERE claims.expires_at <= (SELECT received_at FROM new WHERE new.id = excluded.delivery)
            OR claims.delivery = $23
    RETURNING delivery
), kept AS (
    INSERT INTO deliveries (id, source, provider, kind, name, delivery_key, handshake, received_at, remote,
        query, size, stored, headers, explanation, body, claims, digest, same_id_as)
    SELECT id, source, provider, kind, name, delivery_key, handshake, received_at, remote, query, size,
        stored, headers, explanation, body, claims, digest, same_id_as
    FROM new WHERE id IN (SELECT delivery FROM claimed)
)";

/// Inserts plain deliveries with their runs; gives the ids of those that were inserted. The keys of the others
/// are claimed. No two of the batch may have the same source and key.
pub(super) async fn keep(
    connection: &Connection,
    batch: &[&Packed],
) -> Result<HashSet<Uuid>, Refused> {
    let mut runs = Vec::new();
    let mut queued = false;
    for packed in batch {
        let now = packed.delivery.received_at;
        for run in &packed.delivery.runs {
            let row = row(run, &Place::own(now), now)?;
            queued |= row.state == RunState::Queued;
            runs.push((uuid(packed.delivery.id.as_bytes()), row));
        }
    }
    let claimed: Vec<_> = batch.iter().map(|packed| (*packed, own(&packed.delivery))).collect();
    write(connection, &claimed, &NewRuns::of(&runs), runs.len(), queued, None).await
}

/// The claim of a delivery on its own key.
fn own(delivery: &NewDelivery) -> Claim<'_> {
    let until = later(delivery.received_at, delivery.window);
    Claim { key: &delivery.key, until, same_id_as: None }
}

/// Inserts one delivery without its runs; false where its claim is not free. The claim of the delivery `gone`
/// counts as free.
async fn keep_bare(
    connection: &Connection,
    packed: &Packed,
    claim: &Claim<'_>,
    gone: Option<Uuid>,
) -> Result<bool, StoreFault> {
    let one = [(packed, *claim)];
    Ok(!write(connection, &one, &NewRuns::of(&[]), 0, false, gone).await?.is_empty())
}

async fn write(
    connection: &Connection,
    batch: &[(&Packed, Claim<'_>)],
    runs: &NewRuns,
    count: usize,
    queued: bool,
    gone: Option<Uuid>,
) -> Result<HashSet<Uuid>, Refused> {
    let mut new = Deliveries::default();
    for (packed, claim) in batch {
        new.push(packed, claim);
    }
    let placed = match count {
        0 => String::new(),
        _ => {
            let kept = "WHERE run.delivery IN (SELECT delivery FROM claimed)";
            format!(", placed AS ({})", runs.insert(BEFORE, kept))
        }
    };
    let sql = format!(
        "{KEEP}{placed} SELECT delivery, CASE WHEN $20 THEN pg_notify($21, $22)::text END FROM claimed"
    );
    let first: &[Param<'_>] = params![
        new.id,
        new.source,
        new.provider,
        new.kind,
        new.name,
        new.key,
        new.handshake,
        new.received_at,
        new.remote,
        new.query,
        new.size,
        new.stored,
        new.headers,
        new.explanation,
        new.body,
        new.claims,
        new.expires_at,
        new.digest,
        new.same_id_as,
        queued,
        CHANNEL,
        RUNS,
        gone,
    ];
    let params: Vec<Param<'_>> = first.iter().cloned().chain(runs.params()).collect();
    let rows = connection.query(&sql, &params).await?;
    Ok(rows.iter().map(|row| get(row, 0)).collect::<Result<_, _>>()?)
}

impl<'a> Deliveries<'a> {
    fn push(&mut self, packed: &'a Packed, claim: &Claim<'_>) {
        let delivery = &packed.delivery;
        let content = packed.headers.len() + packed.explanation.len() + packed.body.len();
        self.id.push(uuid(delivery.id.as_bytes()));
        self.source.push(&delivery.source);
        self.provider.push(&delivery.provider);
        self.kind.push(text(&delivery.kind));
        self.name.push(delivery.name.as_deref().map(text));
        self.key.push(text(claim.key));
        self.handshake.push(delivery.handshake);
        self.received_at.push(millis(delivery.received_at));
        self.remote.push(delivery.remote.as_deref().map(text));
        self.query.push(text(&delivery.query));
        self.size.push(i64::try_from(packed.size).unwrap_or(i64::MAX));
        self.stored
            .push(i64::try_from(content).map_or(i64::MAX, |content| content.saturating_add(ROWS)));
        self.headers.push(&packed.headers);
        self.explanation.push(&packed.explanation);
        self.body.push(&packed.body);
        self.claims.push(delivery.claims.as_deref().map(text));
        self.expires_at.push(millis(claim.until));
        self.digest.push(delivery.digest.as_bytes());
        self.same_id_as.push(claim.same_id_as.map(|id| uuid(id.as_bytes())));
    }
}

/// How often a delivery is tried whose claim was free, or another delivery's, at the look after each try.
const TRIES: usize = 3;

/// Inserts one delivery without its runs, if its claim is free. Otherwise it gives the delivery that has the
/// claim. A claim and its delivery are written and removed by one statement; a claim whose delivery is not there
/// was written by no program of ours, and is taken over.
pub(super) async fn keep_or_find(
    connection: &Connection,
    packed: &Packed,
    claim: &Claim<'_>,
) -> Result<Option<Held>, StoreFault> {
    let sql = format!(
        "SELECT claims.delivery AS claimed, deliveries.id IS NULL AS gone, {HELD} \
         FROM claims LEFT JOIN deliveries ON deliveries.id = claims.delivery \
         WHERE claims.source = $1 AND claims.delivery_key = $2"
    );
    let mut gone = None;
    for _ in 0..TRIES {
        if keep_bare(connection, packed, claim, gone).await? {
            return Ok(None);
        }
        let key = text(claim.key);
        gone = match connection.one(&sql, params![&*packed.delivery.source, key]).await? {
            Some(row) if !row.flag("gone")? => return held(&row).map(Some),
            Some(row) => Some(Uuid::from_bytes(row.id("claimed")?)),
            None => None,
        };
    }
    Err(being_removed())
}

/// Counts a repeat of a delivery; gives whether its content was erased. Locks the delivery's row, so that two
/// repeats at once are serialized.
pub(super) async fn count_repeat(
    connection: &Connection,
    id: DeliveryId,
    now: Timestamp,
) -> Result<bool, StoreFault> {
    let sql = "UPDATE deliveries SET repeats = repeats + 1, repeated_at = $2 WHERE id = $1 \
               RETURNING erased_at IS NOT NULL AS erased";
    let counted = connection.one(sql, params![uuid(id.as_bytes()), millis(now)]).await?;
    counted.map_or_else(|| Err(being_removed()), |row| row.flag("erased"))
}

/// Retention removed it between two statements; the sender's next try is a new delivery.
fn being_removed() -> StoreFault {
    StoreFault::Unavailable("the delivery that this repeats is just being removed".to_owned())
}
