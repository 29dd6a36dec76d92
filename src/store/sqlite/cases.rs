//! The use cases of the queue, each inside the transaction that is open on the connection.

use rusqlite::{Connection, params};

use super::statements::{Transaction, at_once};
use super::values::execute;
use crate::model::RunState;
use crate::store::rules::run::{change_of, moved};
use crate::store::statements::Statements as _;
use crate::store::steps::{pauses, queue, settle};
use crate::store::{Finish, KeyRefused, LeaseAsk, Leased, StoreFault};

/// Takes runs that are due and begins their attempts.
pub(super) fn lease_due(connection: &Connection, ask: &LeaseAsk) -> Result<Leased, StoreFault> {
    let store = Transaction(connection);
    let told = Some(ask.now);
    at_once(async {
        let mut seen = store.see(ask, told).await?;
        if seen.is_late() {
            queue::promote(&store, seen.now).await?;
            seen = store.see(ask, told).await?;
        }
        let permits = seen.open(ask);
        if permits.is_empty() {
            return Ok(seen.nothing());
        }
        queue::take(&store, ask, &seen, &permits, told).await
    })
}

/// Records the result of an attempt and changes the state of its run.
pub(super) fn finish(connection: &Connection, finish: &Finish) -> Result<(), StoreFault> {
    let Finish { lease, next, refused, now, .. } = finish;
    let store = Transaction(connection);
    at_once(async {
        let Some(run) = store.run(lease.run).await? else {
            return Err(StoreFault::NotFound(format!("run {}", lease.run)));
        };
        if run.state != RunState::Sending || run.attempts != lease.attempt {
            return Err(StoreFault::LeaseLost(lease.run));
        }
        let row = moved(run.state, change_of(next), *now)
            .map_err(|unlawful| StoreFault::unlawful(lease.run, &unlawful))?;
        record(connection, run.seq, finish)?;
        let is_queued_again = row.state == RunState::Queued;
        store.write(&[(run.seq, row)]).await?;
        if let Some(KeyRefused { what, mark, act }) = refused {
            pauses::pause(&store, what, Some(mark), act).await?;
        }
        if is_queued_again && run.latest_per.is_some() {
            settle::queued_again(&store, run.id, *now).await?;
        }
        Ok(())
    })
}

fn record(connection: &Connection, seq: i64, finish: &Finish) -> Result<(), StoreFault> {
    let Finish { lease, result, .. } = finish;
    execute(
        connection,
        "UPDATE attempts SET outcome = ?3, status = ?4, reason = ?5, reply = ?6, took_ms = ?7 \
         WHERE run = ?1 AND number = ?2",
        params![
            seq,
            lease.attempt,
            result.outcome.as_str(),
            result.status,
            result.reason,
            result.reply,
            i64::try_from(result.took.as_millis()).unwrap_or(i64::MAX),
        ],
    )
    .map(drop)
}
