//! Inserts deliveries. A claim on source and key makes sure that each is kept once. Deliveries that arrive
//! together are inserted by one statement, which is one transaction and one flush.

use std::collections::HashSet;

use uuid::Uuid;

use super::connection::{Connection, Refused};
use super::runs::NewRuns;
use super::values::{Param, get, length, millis, params, text, uuid};
use super::{CHANNEL, RUNS};
use crate::clock::later;
use crate::model::{DeliveryId, RunState};
use crate::store::pack::Packed;
use crate::store::rules::coalesce::Place;
use crate::store::rules::new::row;
use crate::store::{REPEAT_WINDOW, StoreFault};

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
}

/// Number of parameters before those of the runs.
const BEFORE: usize = 21;

const KEEP: &str = "\
WITH new AS (
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bool[],
        $8::bigint[], $9::text[], $10::text[], $11::bigint[], $12::bigint[], $13::bytea[], $14::bytea[],
        $15::bytea[], $16::text[], $17::bigint[])
    AS new (id, source, provider, kind, name, delivery_key, handshake, received_at, remote, query, size,
        stored, headers, explanation, body, claims, expires_at)
), claimed AS (
    -- In one order everywhere, so that two replicas never wait for each other.
    INSERT INTO claims (source, delivery_key, delivery, expires_at)
    SELECT source, delivery_key, id, expires_at FROM new ORDER BY source, delivery_key
    ON CONFLICT (source, delivery_key)
        DO UPDATE SET delivery = excluded.delivery, expires_at = excluded.expires_at
        WHERE claims.expires_at <= excluded.expires_at - $18
    RETURNING delivery
), kept AS (
    INSERT INTO deliveries (id, source, provider, kind, name, delivery_key, handshake, received_at, remote,
        query, size, stored, headers, explanation, body, claims)
    SELECT id, source, provider, kind, name, delivery_key, handshake, received_at, remote, query, size,
        stored, headers, explanation, body, claims
    FROM new WHERE id IN (SELECT delivery FROM claimed)
)";

/// Inserts plain deliveries with their runs; gives the ids of those that were inserted. The others are
/// repeats. No two of the batch may have the same source and key.
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
    write(connection, batch, &NewRuns::of(&runs), runs.len(), queued).await
}

/// Inserts one delivery without its runs; false where it is a repeat.
async fn keep_bare(connection: &Connection, packed: &Packed) -> Result<bool, StoreFault> {
    Ok(!write(connection, &[packed], &NewRuns::of(&[]), 0, false).await?.is_empty())
}

async fn write(
    connection: &Connection,
    batch: &[&Packed],
    runs: &NewRuns,
    count: usize,
    queued: bool,
) -> Result<HashSet<Uuid>, Refused> {
    let mut new = Deliveries::default();
    for packed in batch {
        new.push(packed);
    }
    let placed = match count {
        0 => String::new(),
        _ => {
            let kept = "WHERE run.delivery IN (SELECT delivery FROM claimed)";
            format!(", placed AS ({})", runs.insert(BEFORE, kept))
        }
    };
    let sql = format!(
        "{KEEP}{placed} SELECT delivery, CASE WHEN $19 THEN pg_notify($20, $21)::text END FROM claimed"
    );
    let window = length(REPEAT_WINDOW);
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
        window,
        queued,
        CHANNEL,
        RUNS,
    ];
    let params: Vec<Param<'_>> = first.iter().cloned().chain(runs.params()).collect();
    let rows = connection.query(&sql, &params).await?;
    Ok(rows.iter().map(|row| get(row, 0)).collect::<Result<_, _>>()?)
}

impl<'a> Deliveries<'a> {
    fn push(&mut self, packed: &'a Packed) {
        let delivery = &packed.delivery;
        let content = packed.headers.len() + packed.explanation.len() + packed.body.len();
        self.id.push(uuid(delivery.id.as_bytes()));
        self.source.push(&delivery.source);
        self.provider.push(&delivery.provider);
        self.kind.push(text(&delivery.kind));
        self.name.push(delivery.name.as_deref().map(text));
        self.key.push(text(&delivery.key));
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
        self.expires_at.push(millis(later(delivery.received_at, REPEAT_WINDOW)));
    }
}

/// Inserts one delivery without its runs. Where it is a repeat, counts it and gives the first delivery
/// instead.
pub(super) async fn keep_or_find(
    connection: &Connection,
    packed: &Packed,
) -> Result<Option<DeliveryId>, StoreFault> {
    if keep_bare(connection, packed).await? {
        return Ok(None);
    }
    let delivery = &packed.delivery;
    // Locks the delivery's row, so that two repeats at once are serialized.
    let first = connection
        .one(
            "UPDATE deliveries SET repeats = repeats + 1 WHERE id = \
             (SELECT delivery FROM claims WHERE source = $1 AND delivery_key = $2) RETURNING id",
            params![&*delivery.source, text(&delivery.key)],
        )
        .await?;
    match first {
        Some(row) => Ok(Some(DeliveryId::from_bytes(get::<Uuid>(&row, 0)?.into_bytes()))),
        // Retention removed it between the two statements; the sender's next try is a new delivery.
        None => Err(StoreFault::Unavailable(
            "the delivery that this repeats is just being removed".to_owned(),
        )),
    }
}
