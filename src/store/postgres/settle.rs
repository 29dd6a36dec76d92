//! Records the results of attempts and changes the states of their runs, many in one statement. The statement
//! names the state and the attempt that it expects, so that a lost lease is noticed.

use std::collections::HashSet;

use uuid::Uuid;

use super::connection::Connection;
use super::values::{get, length, millis, params, text, uuid};
use crate::model::RunState;
use crate::store::rules::run::{change_of, moved};
use crate::store::steps;
use crate::store::{Finish, KeyRefused, Next, StoreFault};

/// Whether one statement is enough to record it: it pauses no key and queues no run again.
pub(super) fn is_plain(finish: &Finish) -> bool {
    finish.refused.is_none() && !matches!(finish.next, Next::Retry { .. })
}

/// Records the results of attempts and changes the states of their runs; gives the runs whose lease was lost.
/// No two results may be of the same run. Needs a transaction, unless all are plain.
pub(super) async fn finish(
    connection: &Connection,
    batch: &[&Finish],
) -> Result<HashSet<Uuid>, StoreFault> {
    let mut rows = FinishRows::default();
    for finish in batch {
        rows.push(finish)?;
    }
    let found = connection
        .query(
            "WITH done AS (SELECT * FROM unnest($1::uuid[], $2::int[], $3::text[], $4::int[], $5::text[], \
                 $6::text[], $7::bigint[], $8::text[], $9::bigint[], $10::text[], $11::text[], $12::bigint[], \
                 $13::bigint[], $14::bigint[]) \
                 AS done (run, number, outcome, status, said, reply, took_ms, state, due_at, reason, \
                          engine_id, at, blocked, blocked_paused)), \
             moved AS (UPDATE runs SET state = done.state, due_at = coalesce(done.due_at, runs.due_at), \
                 reason = done.reason, engine_id = done.engine_id, lease_until = NULL, \
                 changed_at = done.at, \
                 blocked = CASE WHEN EXISTS (SELECT 1 FROM pauses WHERE kind = 'route' \
                   AND name = runs.route) THEN done.blocked_paused ELSE done.blocked END \
                 FROM done WHERE runs.id = done.run AND runs.state = 'sending' \
                   AND runs.attempts = done.number \
                 RETURNING runs.id, runs.state = 'queued' AND runs.latest_per IS NOT NULL AS gives), \
             noted AS (UPDATE attempts SET outcome = done.outcome, status = done.status, \
                 reason = done.said, reply = done.reply, took_ms = done.took_ms \
                 FROM done JOIN moved ON moved.id = done.run \
                 WHERE attempts.run = done.run AND attempts.number = done.number) \
             SELECT id, gives FROM moved",
            params![
                rows.run, rows.number, rows.outcome, rows.status, rows.said, rows.reply, rows.took_ms,
                rows.state, rows.due_at, rows.reason, rows.engine_id, rows.at, rows.blocked,
                rows.blocked_paused,
            ],
        )
        .await?;
    let mut lost: HashSet<Uuid> = rows.run.iter().copied().collect();
    for row in &found {
        let id: Uuid = get(row, 0)?;
        lost.remove(&id);
        if get(row, 1)? {
            let finish = batch.iter().find(|finish| uuid(finish.lease.run.as_bytes()) == id);
            if let Some(finish) = finish {
                steps::settle::queued_again(connection, finish.lease.run, finish.now).await?;
            }
        }
    }
    for KeyRefused { what, mark, act } in batch
        .iter()
        .filter(|finish| !lost.contains(&uuid(finish.lease.run.as_bytes())))
        .filter_map(|finish| finish.refused.as_ref())
    {
        steps::pauses::pause(connection, what, Some(mark), act).await?;
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
    due_at: Vec<Option<i64>>,
    reason: Vec<Option<String>>,
    engine_id: Vec<Option<String>>,
    at: Vec<i64>,
    blocked: Vec<i64>,
    blocked_paused: Vec<i64>,
}

impl FinishRows {
    fn push(&mut self, finish: &Finish) -> Result<(), StoreFault> {
        let Finish { lease, result, next, now, .. } = finish;
        let row = moved(RunState::Sending, change_of(next), *now)
            .map_err(|refused| StoreFault::unlawful(lease.run, &refused))?;
        self.run.push(uuid(lease.run.as_bytes()));
        self.number.push(i32::try_from(lease.attempt).unwrap_or(i32::MAX));
        self.outcome.push(result.outcome.as_str());
        self.status.push(result.status.map(i32::from));
        self.said.push(text(&result.reason));
        self.reply.push(result.reply.as_deref().map(text));
        self.took_ms.push(length(result.took));
        self.state.push(row.state.as_str());
        self.due_at.push(row.due_at.map(millis));
        self.reason.push(row.reason.as_deref().map(text));
        self.engine_id.push(row.engine_id.as_deref().map(text));
        self.at.push(millis(*now));
        self.blocked.push(row.standing.free.code());
        self.blocked_paused.push(row.standing.paused.code());
        Ok(())
    }
}
