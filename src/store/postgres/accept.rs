//! Keeps deliveries and their runs, or recognizes repeats: one claim, one transaction.
//!
//! Deliveries that arrive together are kept by one statement, which is one transaction and one
//! flush. What needs more than that statement (repeats, runs of which only the newest is sent) has
//! a transaction of its own.

use std::collections::HashSet;
use std::time::Duration;

use uuid::Uuid;

use super::latest;
use super::link::{Link, Refused};
use super::people::again;
use super::rows::{self, get, length, millis, params, text, uuid};
use super::{NEWS, RUNS, read};
use crate::clock::later;
use crate::model::{Environment, RunId, RunState};
use crate::store::pack::Packed;
use crate::store::rules::{self, Taken};
use crate::store::{Accepted, NewRun, NewRunState, REPEAT_WINDOW, StoreFault};

/// What a delivery takes up beside its content: its own row, its claim, its run and the indexes of all.
pub(super) const ROWS: i64 = 1024;

/// Whether the one statement can keep it.
pub(super) fn is_plain(packed: &Packed) -> bool {
    packed.delivery.runs.iter().all(|run| run.latest.is_none())
}

/// Columns of the deliveries of a batch, one array each.
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

/// Columns of their runs.
#[derive(Default)]
struct Runs<'a> {
    id: Vec<Uuid>,
    delivery: Vec<Uuid>,
    route: Vec<&'a str>,
    job: Vec<&'a str>,
    part: Vec<i32>,
    state: Vec<&'a str>,
    reason: Vec<Option<String>>,
    environment: Vec<Option<String>>,
    accepted_at: Vec<i64>,
    deadline_at: Vec<i64>,
}

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
        WHERE claims.expires_at <= excluded.expires_at - $28
    RETURNING delivery
), kept AS (
    INSERT INTO deliveries (id, source, provider, kind, name, delivery_key, handshake, received_at, remote,
        query, size, stored, headers, explanation, body, claims)
    SELECT id, source, provider, kind, name, delivery_key, handshake, received_at, remote, query, size,
        stored, headers, explanation, body, claims
    FROM new WHERE id IN (SELECT delivery FROM claimed)
), placed AS (
    INSERT INTO runs (id, delivery, route, job, part, state, reason, environment, accepted_at, changed_at,
        due_at, deadline_at, blocked)
    SELECT run.id, run.delivery, run.route, run.job, run.part, run.state, run.reason, run.environment,
        run.accepted_at, run.accepted_at, run.accepted_at, run.deadline_at,
        CASE WHEN run.state = 'queued' AND EXISTS
            (SELECT 1 FROM pauses WHERE kind = 'route' AND name = run.route) THEN 2 ELSE 0 END
    FROM unnest($18::uuid[], $19::uuid[], $20::text[], $21::text[], $22::int[], $23::text[], $24::text[],
        $25::text[], $26::bigint[], $27::bigint[]) WITH ORDINALITY
        AS run (id, delivery, route, job, part, state, reason, environment, accepted_at, deadline_at, place)
    WHERE run.delivery IN (SELECT delivery FROM claimed)
    ORDER BY run.place
)
SELECT delivery, CASE WHEN $29 THEN pg_notify($30, $31)::text END FROM claimed";

/// Keeps plain deliveries; gives those that were kept. The others are repeats. No two may share a
/// source and key.
pub(super) async fn keep(link: &Link, batch: &[&Packed]) -> Result<HashSet<Uuid>, Refused> {
    let mut new = Deliveries::default();
    let mut runs = Runs::default();
    let mut queued = false;
    for packed in batch {
        new.push(packed);
        for run in &packed.delivery.runs {
            queued |= matches!(run.state, NewRunState::Queued(_));
            runs.push(packed, run)?;
        }
    }
    let window = length(REPEAT_WINDOW);
    let rows = link
        .query(
            KEEP,
            params![
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
                runs.id,
                runs.delivery,
                runs.route,
                runs.job,
                runs.part,
                runs.state,
                runs.reason,
                runs.environment,
                runs.accepted_at,
                runs.deadline_at,
                window,
                queued,
                NEWS,
                RUNS,
            ],
        )
        .await?;
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

impl<'a> Runs<'a> {
    fn push(&mut self, packed: &'a Packed, run: &'a NewRun) -> Result<(), StoreFault> {
        let (state, environment, reason) = parts(run);
        self.id.push(uuid(run.id.as_bytes()));
        self.delivery.push(uuid(packed.delivery.id.as_bytes()));
        self.route.push(&run.route);
        self.job.push(&run.job);
        self.part.push(i32::try_from(run.part).unwrap_or(i32::MAX));
        self.state.push(state.as_str());
        self.reason.push(reason.map(text));
        self.environment.push(environment.map(environment_json).transpose()?);
        self.accepted_at.push(millis(packed.delivery.received_at));
        self.deadline_at.push(millis(run.deadline));
        Ok(())
    }
}

fn parts(run: &NewRun) -> (RunState, Option<&Environment>, Option<&str>) {
    match &run.state {
        NewRunState::Queued(environment) => (RunState::Queued, Some(environment), None),
        NewRunState::Held(environment, reason) => (RunState::Held, Some(environment), Some(reason)),
        NewRunState::Failed(reason) => (RunState::Failed, None, Some(reason)),
    }
}

/// A run's variables as the JSON that is kept.
pub(super) fn environment_json(environment: &Environment) -> Result<String, StoreFault> {
    serde_json::to_string(environment)
        .map_err(|error| StoreFault::Unavailable(format!("variables cannot be written: {error}")))
}

/// Keeps one delivery of any kind, or says what became of the one that it repeats. Runs inside a
/// transaction.
pub(super) async fn accept(link: &Link, packed: &Packed) -> Result<Accepted, StoreFault> {
    if is_plain(packed) {
        if !keep(link, &[packed]).await?.is_empty() {
            return Ok(Accepted::Kept);
        }
        return repeat(link, packed).await;
    }
    let bare = Packed {
        delivery: crate::store::NewDelivery { runs: Vec::new(), ..packed.delivery.clone() },
        size: packed.size,
        headers: packed.headers.clone(),
        explanation: packed.explanation.clone(),
        body: packed.body.clone(),
    };
    if keep(link, &[&bare]).await?.is_empty() {
        return repeat(link, packed).await;
    }
    let delivery = uuid(packed.delivery.id.as_bytes());
    let kinds = packed.delivery.runs.iter();
    let kinds = kinds.filter_map(|run| Some((&*run.route, &*run.latest.as_ref()?.key))).collect();
    latest::alone_with_all(link, kinds).await?;
    for run in &packed.delivery.runs {
        insert_run(link, delivery, run, millis(packed.delivery.received_at)).await?;
    }
    tell(link, RUNS).await?;
    Ok(Accepted::Kept)
}

/// Tells every process, once this is committed, that there is something in the queue ([`RUNS`]) or that
/// something rests or goes on ([`super::RESTS`]).
pub(super) async fn tell(link: &Link, about: &str) -> Result<(), StoreFault> {
    link.query("SELECT pg_notify($1, $2)::text", params![NEWS, about]).await?;
    Ok(())
}

/// Writes one new run of a kept delivery; gives its place. It takes the place of those of its kind
/// that are not sent yet.
pub(super) async fn insert_run(
    link: &Link,
    delivery: Uuid,
    run: &NewRun,
    now: i64,
) -> Result<(), StoreFault> {
    let (mut state, environment, reason) = parts(run);
    let mut place = Taken { burst: None, burst_at: now, stands_for: 1 };
    let mut due_at = now;
    if let (Some(latest), RunState::Queued) = (&run.latest, state) {
        place = latest::take_place(link, &run.route, &latest.key, now).await?;
        due_at = rules::due_at(latest, place.burst_at, now);
        if due_at > now {
            state = RunState::Waiting;
        }
    }
    let environment = environment.map(environment_json).transpose()?;
    let key = run.latest.as_ref().map(|latest| text(&latest.key));
    let burst_at = run.latest.is_some().then_some(place.burst_at);
    let part = i32::try_from(run.part).unwrap_or(i32::MAX);
    link.execute(
        "INSERT INTO runs (id, delivery, route, job, part, state, reason, environment, accepted_at, \
         changed_at, due_at, deadline_at, blocked, latest_per, burst, burst_at, stands_for) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10, $11, \
           CASE WHEN $6 = 'waiting' THEN 1 WHEN $6 = 'queued' AND EXISTS \
             (SELECT 1 FROM pauses WHERE kind = 'route' AND name = $3) THEN 2 ELSE 0 END, \
           $12, $13, $14, $15)",
        params![
            uuid(run.id.as_bytes()),
            delivery,
            &*run.route,
            &*run.job,
            part,
            state.as_str(),
            reason.map(text),
            environment,
            now,
            due_at,
            millis(run.deadline),
            key,
            place.burst,
            burst_at,
            place.stands_for,
        ],
    )
    .await?;
    Ok(())
}

/// A person pressed "redeliver", or the sender did not hear the first answer: nothing that was
/// started is started again, and what had failed gets another try with today's environment.
async fn repeat(link: &Link, packed: &Packed) -> Result<Accepted, StoreFault> {
    let delivery = &packed.delivery;
    let now = delivery.received_at;
    // Holds the delivery's row, so that two repeats at once come one after the other.
    let first: Uuid = link
        .one(
            "UPDATE deliveries SET repeats = repeats + 1 WHERE id = \
             (SELECT delivery FROM claims WHERE source = $1 AND delivery_key = $2) RETURNING id",
            params![&*delivery.source, text(&delivery.key)],
        )
        .await?
        .map(|row| get(&row, 0))
        .transpose()?
        .ok_or_else(|| {
            // Retention took it between the two statements; the sender's next try is a new one.
            StoreFault::Unavailable("the delivery that this repeats is just being removed".into())
        })?;
    let failed = link
        .query(
            "SELECT route, part, id, mapped, deadline_at - accepted_at FROM runs \
             WHERE delivery = $1 AND state = 'failed' ORDER BY seq FOR UPDATE",
            params![first],
        )
        .await?;
    let mut requeued = Vec::new();
    for row in &failed {
        let (route, part): (&str, u32) = (get(row, 0)?, rows::small(row, 1)?);
        let (id, mapped) = (rows::run_id(row, 2)?, get::<bool>(row, 3)?);
        let patience = Duration::from_millis(u64::try_from(get::<i64>(row, 4)?).unwrap_or(0));
        let today = delivery.runs.iter().find(|run| *run.route == *route && run.part == part);
        let deadline = today.map_or_else(|| later(now, patience), |run| run.deadline);
        let moved = match today.map(|run| &run.state) {
            Some(state) => again(link, id, state, now, deadline).await? == RunState::Queued,
            // The route is gone or no longer matches; what it had promised still stands.
            None if mapped => {
                again_as_it_was(link, id, millis(now), millis(deadline)).await?;
                true
            }
            None => false,
        };
        if moved {
            requeued.push(id);
        }
    }
    if !requeued.is_empty() {
        tell(link, RUNS).await?;
    }
    let (id, runs) = read::brief_of(link, first).await?;
    Ok(Accepted::Repeat { delivery: id, runs, requeued })
}

async fn again_as_it_was(
    link: &Link,
    run: RunId,
    now: i64,
    deadline: i64,
) -> Result<(), StoreFault> {
    link.execute(
        "UPDATE runs SET state = 'queued', blocked = CASE WHEN EXISTS \
           (SELECT 1 FROM pauses WHERE kind = 'route' AND name = runs.route) THEN 2 ELSE 0 END, \
         reason = NULL, changed_at = $2, due_at = $2, deadline_at = $3 \
         WHERE id = $1 AND state = 'failed'",
        params![uuid(run.as_bytes()), now, deadline],
    )
    .await?;
    Ok(())
}
