//! Settling: what attempts came to is recorded and moves their runs, and so does a person's word. Every
//! change is one that `model/run.rs` allows, and names the state that it expects to find.

use std::collections::HashSet;

use jiff::Timestamp;
use uuid::Uuid;

use super::link::Link;
use super::rows::{self, get, length, millis, params, text, uuid};
use super::{latest, pauses};
use crate::model::run::{Change, after};
use crate::model::{RunId, RunState};
use crate::store::rules;
use crate::store::{Finish, KeyRefused, Next, StoreFault};

/// Whether one statement is enough to record it.
pub(super) fn is_plain(finish: &Finish) -> bool {
    finish.refused.is_none() && !matches!(finish.next, Next::Retry { .. })
}

/// Records what attempts came to and moves their runs; gives those whose lease was lost. No two may
/// be of the same run. Runs inside a transaction.
pub(super) async fn finish(link: &Link, batch: &[&Finish]) -> Result<HashSet<Uuid>, StoreFault> {
    let mut rows = FinishRows::default();
    for finish in batch {
        rows.push(finish)?;
    }
    let found = link
        .query(
            "WITH done AS (SELECT * FROM unnest($1::uuid[], $2::int[], $3::text[], $4::int[], $5::text[], \
                 $6::text[], $7::bigint[], $8::text[], $9::bigint[], $10::text[], $11::text[], $12::bigint[]) \
                 AS done (run, number, outcome, status, said, reply, took_ms, state, due_at, reason, \
                          engine_id, at)), \
             moved AS (UPDATE runs SET state = done.state, due_at = done.due_at, reason = done.reason, \
                 engine_id = done.engine_id, lease_until = NULL, changed_at = done.at, \
                 blocked = CASE WHEN done.state <> 'queued' THEN 0 WHEN done.due_at > done.at THEN 1 \
                   WHEN EXISTS (SELECT 1 FROM pauses WHERE kind = 'route' AND name = runs.route) THEN 2 \
                   ELSE 0 END \
                 FROM done WHERE runs.id = done.run AND runs.state = 'sending' \
                   AND runs.attempts = done.number \
                 RETURNING runs.id, runs.seq, runs.state = 'queued' AND runs.latest_per IS NOT NULL AS gives), \
             noted AS (UPDATE attempts SET outcome = done.outcome, status = done.status, \
                 reason = done.said, reply = done.reply, took_ms = done.took_ms \
                 FROM done JOIN moved ON moved.id = done.run \
                 WHERE attempts.run = done.run AND attempts.number = done.number) \
             SELECT id, seq, gives FROM moved",
            params![
                rows.run, rows.number, rows.outcome, rows.status, rows.said, rows.reply, rows.took_ms,
                rows.state, rows.due_at, rows.reason, rows.engine_id, rows.at,
            ],
        )
        .await?;
    let mut lost: HashSet<Uuid> = rows.run.iter().copied().collect();
    for row in &found {
        let id: Uuid = get(row, 0)?;
        lost.remove(&id);
        if get(row, 2)? {
            let now = batch.iter().find(|finish| uuid(finish.lease.run.as_bytes()) == id);
            if let Some(finish) = now {
                latest::give_way(link, get(row, 1)?, finish.now).await?;
            }
        }
    }
    for KeyRefused { what, mark, act } in batch
        .iter()
        .filter(|finish| !lost.contains(&uuid(finish.lease.run.as_bytes())))
        .filter_map(|finish| finish.refused.as_ref())
    {
        pauses::pause(link, what, Some(mark), act).await?;
    }
    Ok(lost)
}

#[derive(Default)]
struct FinishRows {
    run: Vec<Uuid>,
    number: Vec<i32>,
    outcome: Vec<&'static str>,
    status: Vec<Option<i32>>,
    said: Vec<String>,
    reply: Vec<Option<String>>,
    took_ms: Vec<i64>,
    state: Vec<&'static str>,
    due_at: Vec<i64>,
    reason: Vec<Option<String>>,
    engine_id: Vec<Option<String>>,
    at: Vec<i64>,
}

impl FinishRows {
    fn push(&mut self, finish: &Finish) -> Result<(), StoreFault> {
        let Finish { lease, result, next, now, .. } = finish;
        let change = rules::change_of(next);
        after(RunState::Sending, &change)
            .map_err(|refused| StoreFault::unlawful(lease.run, &refused))?;
        let moved = Moved::by(&change, *now);
        self.run.push(uuid(lease.run.as_bytes()));
        self.number.push(i32::try_from(lease.attempt).unwrap_or(i32::MAX));
        self.outcome.push(result.outcome.as_str());
        self.status.push(result.status.map(i32::from));
        self.said.push(text(&result.reason));
        self.reply.push(result.reply.as_deref().map(text));
        self.took_ms.push(length(result.took));
        self.state.push(moved.state.as_str());
        self.due_at.push(millis(moved.due_at));
        self.reason.push(moved.reason);
        self.engine_id.push(moved.engine_id);
        self.at.push(millis(*now));
        Ok(())
    }
}

/// Where the run is kept, and how it stands. Its row is locked until the transaction ends.
pub(super) async fn find(link: &Link, id: RunId) -> Result<(i64, RunState), StoreFault> {
    let row = link
        .one("SELECT seq, state FROM runs WHERE id = $1 FOR UPDATE", params![uuid(id.as_bytes())])
        .await?
        .ok_or_else(|| StoreFault::NotFound(format!("run {id}")))?;
    Ok((get(&row, 0)?, rows::spelled(&row, 1)?))
}

/// What a change makes of a run's columns.
struct Moved {
    state: RunState,
    due_at: Timestamp,
    reason: Option<String>,
    engine_id: Option<String>,
}

impl Moved {
    fn by(change: &Change, now: Timestamp) -> Self {
        let to = |state| Self { state, due_at: now, reason: None, engine_id: None };
        let why = |state, reason: &str| Self { reason: Some(text(reason)), ..to(state) };
        match change {
            Change::Due => to(RunState::Queued),
            Change::Started { engine_id } => {
                Self { engine_id: Some(text(engine_id)), ..to(RunState::Started) }
            }
            Change::Retry { at, reason } => Self { due_at: *at, ..why(RunState::Queued, reason) },
            Change::Requeue { at } => Self { due_at: *at, ..to(RunState::Queued) },
            Change::Hold { reason } => why(RunState::Held, reason),
            Change::Fail { reason } => why(RunState::Failed, reason),
            Change::Lease => to(RunState::Sending),
            Change::Supersede => to(RunState::Superseded),
            Change::Cancel { who } => why(RunState::Cancelled, &format!("cancelled by {who}")),
        }
    }
}

/// Writes a change that [`after`] has allowed.
pub(super) async fn apply(
    link: &Link,
    seq: i64,
    expected: RunState,
    change: &Change,
    now: Timestamp,
) -> Result<(), StoreFault> {
    let moved = Moved::by(change, now);
    link.execute(
        "UPDATE runs SET state = $3, due_at = $4, reason = $5, engine_id = $6, \
         lease_until = NULL, changed_at = $7, \
         blocked = CASE WHEN $3 <> 'queued' THEN 0 WHEN $4 > $7 THEN 1 WHEN EXISTS \
           (SELECT 1 FROM pauses WHERE kind = 'route' AND name = runs.route) THEN 2 ELSE 0 END \
         WHERE seq = $1 AND state = $2",
        params![
            seq,
            expected.as_str(),
            moved.state.as_str(),
            millis(moved.due_at),
            moved.reason,
            moved.engine_id,
            millis(now),
        ],
    )
    .await?;
    Ok(())
}
