//! What people look at: deliveries, runs, counts.

use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use super::link::Link;
use super::rows::{self, count, get, json, millis, moment, params, small, text, uuid};
use crate::model::{DeliveryId, Environment, RunId};
use crate::store::StoreFault;
use crate::store::pack::unpack;
use crate::store::{
    Act, Attempt, Counts, Delivery, DeliveryFilter, DeliverySummary, Run, RunBrief, RunFilter,
};

const BRIEF: &str = "runs.id, runs.delivery, runs.route, runs.job, runs.part, runs.state, \
    runs.reason, runs.engine_id, runs.attempts, runs.accepted_at, runs.changed_at, runs.due_at, \
    runs.deadline_at, runs.stands_for, \
    CASE WHEN runs.state = 'superseded' THEN (SELECT newer.id FROM runs newer \
        WHERE newer.burst = runs.burst AND newer.state <> 'superseded' \
        ORDER BY newer.seq DESC LIMIT 1) END";

const SUMMARY: &str = "id, source, provider, kind, name, delivery_key, handshake, received_at, \
    remote, size, repeats, stripped";

/// Most rows that one list gives.
const MOST: usize = 1000;

fn brief(row: &Row) -> Result<RunBrief, StoreFault> {
    Ok(RunBrief {
        id: rows::run_id(row, 0)?,
        delivery: rows::delivery_id(row, 1)?,
        route: get(row, 2)?,
        job: get(row, 3)?,
        part: small(row, 4)?,
        state: rows::spelled(row, 5)?,
        reason: get(row, 6)?,
        engine_id: get(row, 7)?,
        attempts: small(row, 8)?,
        accepted_at: moment(row, 9)?,
        changed_at: moment(row, 10)?,
        due_at: moment(row, 11)?,
        deadline: moment(row, 12)?,
        stands_for: count(row, 13)?,
        superseded_by: get::<Option<Uuid>>(row, 14)?.map(|id| RunId::from_bytes(id.into_bytes())),
    })
}

fn summary(row: &Row) -> Result<DeliverySummary, StoreFault> {
    Ok(DeliverySummary {
        id: rows::delivery_id(row, 0)?,
        source: get(row, 1)?,
        provider: get(row, 2)?,
        kind: get(row, 3)?,
        name: get(row, 4)?,
        key: get(row, 5)?,
        handshake: get(row, 6)?,
        received_at: moment(row, 7)?,
        remote: get(row, 8)?,
        size: count(row, 9)?,
        repeats: count(row, 10)?,
        stripped: get(row, 11)?,
        runs: Vec::new(),
    })
}

/// The name of a kept delivery and its runs in short.
pub(super) async fn brief_of(
    link: &Link,
    delivery: Uuid,
) -> Result<(DeliveryId, Vec<RunBrief>), StoreFault> {
    let runs = briefs(link, &[delivery]).await?;
    Ok((DeliveryId::from_bytes(delivery.into_bytes()), runs))
}

/// The runs of these deliveries, in the order of acceptance.
async fn briefs(link: &Link, deliveries: &[Uuid]) -> Result<Vec<RunBrief>, StoreFault> {
    let found = link
        .query(
            &format!("SELECT {BRIEF} FROM runs WHERE delivery = ANY($1) ORDER BY seq"),
            params![deliveries.to_vec()],
        )
        .await?;
    found.iter().map(brief).collect()
}

/// One delivery, whole. In a snapshot, so that the runs shown are those of the delivery shown.
pub(super) async fn delivery(link: &Link, id: DeliveryId) -> Result<Option<Delivery>, StoreFault> {
    let found = link
        .one(
            &format!(
                "SELECT {SUMMARY}, headers, query, body, explanation, claims FROM deliveries WHERE id = $1"
            ),
            params![uuid(id.as_bytes())],
        )
        .await?;
    let Some(row) = found else { return Ok(None) };
    let mut summary = summary(&row)?;
    summary.runs = briefs(link, &[uuid(id.as_bytes())]).await?;
    let mut runs = Vec::with_capacity(summary.runs.len());
    for brief in &summary.runs {
        runs.extend(run(link, brief.id).await?);
    }
    let headers = unpack(get(&row, 12)?)?;
    Ok(Some(Delivery {
        headers: if headers.is_empty() {
            Vec::new()
        } else {
            serde_json::from_slice(&headers)
                .map_err(|error| StoreFault::Unusable(format!("kept headers: {error}")))?
        },
        query: get(&row, 13)?,
        body: unpack(get(&row, 14)?)?,
        explanation: unpack(get(&row, 15)?)?.to_vec(),
        claims: get(&row, 16)?,
        runs,
        summary,
    }))
}

/// Deliveries, newest first.
pub(super) async fn deliveries(
    link: &Link,
    filter: &DeliveryFilter,
) -> Result<Vec<DeliverySummary>, StoreFault> {
    let before = filter.before.map(|id| uuid(id.as_bytes()));
    let mut found: Vec<DeliverySummary> = link
        .query(
            &format!(
                "SELECT {SUMMARY} FROM deliveries WHERE ($1::text IS NULL OR source = $1) \
                 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3"
            ),
            params![filter.source.as_deref().map(text), before, limit(filter.limit)],
        )
        .await?
        .iter()
        .map(summary)
        .collect::<Result<_, _>>()?;
    let ids: Vec<Uuid> = found.iter().map(|delivery| uuid(delivery.id.as_bytes())).collect();
    let mut runs = std::collections::HashMap::<DeliveryId, Vec<RunBrief>>::new();
    for run in briefs(link, &ids).await? {
        runs.entry(run.delivery).or_default().push(run);
    }
    for delivery in &mut found {
        delivery.runs = runs.remove(&delivery.id).unwrap_or_default();
    }
    Ok(found)
}

/// One run, whole.
pub(super) async fn run(link: &Link, id: RunId) -> Result<Option<Run>, StoreFault> {
    let key = uuid(id.as_bytes());
    let found = link
        .one(&format!("SELECT {BRIEF}, environment FROM runs WHERE id = $1"), params![key])
        .await?;
    let Some(row) = found else { return Ok(None) };
    let environment: Option<Environment> =
        if get::<Option<&str>>(&row, 15)?.is_some() { Some(json(&row, 15)?) } else { None };
    let tries = link
        .query(
            "SELECT number, begun_at, outcome, status, reason, reply, took_ms FROM attempts \
             WHERE run = $1 ORDER BY number",
            params![key],
        )
        .await?
        .iter()
        .map(attempt)
        .collect::<Result<_, _>>()?;
    let acts = link
        .query("SELECT act, who, at, note FROM acts WHERE run = $1 ORDER BY seq", params![key])
        .await?
        .iter()
        .map(|row| {
            let act =
                Act { who: get(row, 1)?, at: moment(row, 2)?, origin: None, note: get(row, 3)? };
            Ok((get(row, 0)?, act))
        })
        .collect::<Result<_, StoreFault>>()?;
    Ok(Some(Run { brief: brief(&row)?, environment, tries, acts }))
}

fn attempt(row: &Row) -> Result<Attempt, StoreFault> {
    let outcome: Option<&str> = get(row, 2)?;
    let status: Option<i32> = get(row, 3)?;
    let took: Option<i64> = get(row, 6)?;
    Ok(Attempt {
        number: small(row, 0)?,
        begun_at: moment(row, 1)?,
        outcome: outcome.map(str::parse).transpose().map_err(StoreFault::Unusable)?,
        status: status.and_then(|status| u16::try_from(status).ok()),
        reason: get(row, 4)?,
        reply: get(row, 5)?,
        took_ms: took.and_then(|took| u64::try_from(took).ok()),
    })
}

/// Runs, newest first.
pub(super) async fn runs(link: &Link, filter: &RunFilter) -> Result<Vec<RunBrief>, StoreFault> {
    // Spelled out where an index over one state exists, which a parameter would hide.
    let state = filter
        .state
        .map_or_else(|| "true".to_owned(), |state| format!("state = '{}'", state.as_str()));
    let before = filter.before.map(|id| uuid(id.as_bytes()));
    link.query(
        &format!(
            "SELECT {BRIEF} FROM runs WHERE {state} AND ($1::text IS NULL OR job = $1) \
             AND ($2::uuid IS NULL OR seq < (SELECT seq FROM runs WHERE id = $2)) \
             ORDER BY seq DESC LIMIT $3"
        ),
        params![filter.job.as_deref().map(text), before, limit(filter.limit)],
    )
    .await?
    .iter()
    .map(brief)
    .collect()
}

fn limit(asked: usize) -> i64 {
    i64::try_from(asked.clamp(1, MOST)).unwrap_or(i64::MAX)
}

/// How many runs wait; each number is read from an index over that state alone.
pub(super) async fn counts(link: &Link) -> Result<Counts, StoreFault> {
    let row = link
        .one(
            "SELECT (SELECT count(*) FROM runs WHERE blocked = 1 AND state = 'waiting'), \
                    (SELECT count(*) FROM runs WHERE state = 'queued'), \
                    (SELECT count(*) FROM runs WHERE state = 'sending'), \
                    (SELECT count(*) FROM runs WHERE state = 'held'), \
                    (SELECT min(accepted_at) FROM runs WHERE state = 'queued'), \
                    (SELECT min(accepted_at) FROM runs WHERE state = 'held')",
            params![],
        )
        .await?
        .ok_or_else(|| StoreFault::Unavailable("no counts".to_owned()))?;
    Ok(Counts {
        waiting: count(&row, 0)?,
        queued: count(&row, 1)?,
        sending: count(&row, 2)?,
        held: count(&row, 3)?,
        oldest_queued_ms: get(&row, 4)?,
        oldest_held_ms: get(&row, 5)?,
    })
}

/// How many runs have been held since before a moment.
pub(super) async fn held_since(link: &Link, before: Timestamp) -> Result<u64, StoreFault> {
    let row = link
        .one(
            "SELECT count(*) FROM runs WHERE state = 'held' AND changed_at < $1",
            params![millis(before)],
        )
        .await?;
    row.map_or(Ok(0), |row| count(&row, 0))
}
