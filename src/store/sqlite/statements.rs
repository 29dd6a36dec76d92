//! The statements of one transaction. They are synchronous, so their futures are ready at once.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::values::{execute, millis, one};
use super::{deliveries, erase, queue, read, runs};
use crate::model::{DeliveryId, RunId};
use crate::store::pack::Packed;
use crate::store::rules::claims::Held;
use crate::store::rules::limits::{JobFacts, Ready};
use crate::store::rules::new::NewRow;
use crate::store::rules::run::{Moved, RunRow};
use crate::store::statements::{About, Begun, Claim, Seen, Statements};
use crate::store::tables::Row as _;
use crate::store::tables::runs::{LAST_FIRST, READY, Which};
use crate::store::{Act, LeaseAsk, Pausable, Permit, Run, RunBrief, StoreFault};

/// The transaction that is open on a connection.
pub(super) struct Transaction<'c>(pub(super) &'c Connection);

/// Runs a use case to its end with one poll, since its statements never wait.
pub(super) fn at_once<T>(
    case: impl Future<Output = Result<T, StoreFault>>,
) -> Result<T, StoreFault> {
    match pin!(case).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => {
            Err(StoreFault::Unusable("a statement of the embedded store waited".to_owned()))
        }
    }
}

impl Statements for Transaction<'_> {
    async fn keep(&self, packed: &Packed, claim: &Claim<'_>) -> Result<Option<Held>, StoreFault> {
        deliveries::keep(self.0, packed, claim)
    }

    async fn prolong(&self, source: &str, key: &str, until: Timestamp) -> Result<(), StoreFault> {
        let sql = "UPDATE claims SET expires_at = max(expires_at, ?3) \
                   WHERE source = ?1 AND delivery_key = ?2";
        execute(self.0, sql, params![source, key, millis(until)]).map(drop)
    }

    async fn count_repeat(&self, id: DeliveryId, now: Timestamp) -> Result<bool, StoreFault> {
        let sql = "UPDATE deliveries SET repeats = repeats + 1, repeated_at = ?2 WHERE id = ?1";
        execute(self.0, sql, params![id.as_bytes(), millis(now)])?;
        Ok(self.is_erased(id).await?.unwrap_or_default())
    }

    async fn is_erased(&self, id: DeliveryId) -> Result<Option<bool>, StoreFault> {
        let sql = "SELECT erased_at IS NOT NULL AS erased FROM deliveries WHERE id = ?1";
        one(self.0, sql, [id.as_bytes()], |row| row.flag("erased"))
    }

    async fn erase_content(&self, id: DeliveryId, act: &Act) -> Result<(), StoreFault> {
        erase::content(self.0, id, act)
    }

    async fn runs_in_short(&self, delivery: DeliveryId) -> Result<Vec<RunBrief>, StoreFault> {
        read::runs_of(self.0, delivery)
    }

    async fn insert(&self, delivery: DeliveryId, row: &NewRow<'_>) -> Result<(), StoreFault> {
        runs::insert(self.0, delivery, row)
    }

    async fn run(&self, id: RunId) -> Result<Option<RunRow>, StoreFault> {
        runs::one_run(self.0, id)
    }

    async fn whole(&self, id: RunId) -> Result<Option<Run>, StoreFault> {
        read::run(self.0, id)
    }

    async fn runs(&self, which: Which<'_>) -> Result<Vec<RunRow>, StoreFault> {
        runs::some(self.0, &which)
    }

    async fn write(&self, rows: &[(i64, Moved)]) -> Result<(), StoreFault> {
        rows.iter().try_for_each(|(seq, row)| runs::write(self.0, *seq, row))
    }

    async fn merge(&self, from: i64, into: i64) -> Result<(), StoreFault> {
        execute(self.0, "UPDATE runs SET burst = ?2 WHERE burst = ?1", [from, into]).map(drop)
    }

    /// Does nothing: there is only one transaction at a time.
    async fn alone_with(&self, _kinds: Vec<(&str, &str)>) -> Result<(), StoreFault> {
        Ok(())
    }

    async fn note(&self, run: RunId, word: &str, act: &Act) -> Result<(), StoreFault> {
        let sql = "INSERT INTO acts (run, at, who, act, note) \
                   VALUES ((SELECT seq FROM runs WHERE id = ?1), ?2, ?3, ?4, ?5)";
        let values = params![run.as_bytes(), millis(act.at), act.who, word, act.note];
        execute(self.0, sql, values).map(drop)
    }

    async fn audit(&self, word: &str, kind: &str, name: &str, act: &Act) -> Result<(), StoreFault> {
        let sql = "INSERT INTO audit (at, who, origin, act, kind, name, note) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let values = params![millis(act.at), act.who, act.origin, word, kind, name, act.note];
        execute(self.0, sql, values).map(drop)
    }

    async fn put_pause(
        &self,
        what: &Pausable,
        mark: Option<&[u8]>,
        act: &Act,
    ) -> Result<(), StoreFault> {
        let sql = "INSERT INTO pauses (kind, name, since, who, note, mark) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
                   ON CONFLICT (kind, name) DO UPDATE SET mark = coalesce(excluded.mark, mark)";
        let values = params![what.kind(), what.name(), millis(act.at), act.who, act.note, mark];
        execute(self.0, sql, values).map(drop)
    }

    async fn remove_pause(&self, what: &Pausable) -> Result<bool, StoreFault> {
        let sql = "DELETE FROM pauses WHERE kind = ?1 AND name = ?2";
        Ok(execute(self.0, sql, [what.kind(), what.name()])? > 0)
    }

    async fn last_ready(&self, job: &str) -> Result<Option<i64>, StoreFault> {
        let sql = format!("SELECT seq FROM runs WHERE {READY} AND job = ?1 {LAST_FIRST} LIMIT 1");
        one(self.0, &sql, [job], |row| row.integer("seq"))
    }

    async fn put_backlog(&self, job: &str, up_to: i64, now: Timestamp) -> Result<(), StoreFault> {
        let sql = format!(
            "INSERT INTO backlogs (job, up_to, since, size) VALUES (?1, ?2, ?3, \
               (SELECT count(*) FROM runs WHERE {READY} AND job = ?1 AND seq <= ?2)) \
             ON CONFLICT (job) DO UPDATE SET up_to = excluded.up_to, since = excluded.since, \
               size = excluded.size"
        );
        execute(self.0, &sql, params![job, up_to, millis(now)]).map(drop)
    }

    /// Does nothing: there is no other process.
    async fn tell(&self, _about: About) -> Result<(), StoreFault> {
        Ok(())
    }

    async fn see(&self, _: &LeaseAsk, told: Option<Timestamp>) -> Result<Seen, StoreFault> {
        let untold = || StoreFault::Unusable("the embedded store has no clock".to_owned());
        queue::see(self.0, told.ok_or_else(untold)?)
    }

    async fn jobs(
        &self,
        permits: &[&Permit],
        told: Option<Timestamp>,
    ) -> Result<(Timestamp, Vec<JobFacts>), StoreFault> {
        let now = told.unwrap_or(Timestamp::UNIX_EPOCH);
        let facts = permits.iter().map(|permit| queue::job(self.0, permit, now));
        Ok((now, facts.collect::<Result<_, _>>()?))
    }

    async fn end_backlogs(&self, jobs: &[&str]) -> Result<(), StoreFault> {
        let end = |job: &&str| execute(self.0, "DELETE FROM backlogs WHERE job = ?1", [job]);
        jobs.iter().try_for_each(|job| end(job).map(drop))
    }

    async fn forget_starts(
        &self,
        jobs: &[&str],
        before: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreFault> {
        let (old, ahead) = (
            "DELETE FROM starts WHERE job = ?1 AND at <= ?2",
            "UPDATE starts SET at = ?2 WHERE job = ?1 AND at > ?2",
        );
        jobs.iter().try_for_each(|job| {
            execute(self.0, old, params![job, millis(before)])?;
            execute(self.0, ahead, params![job, millis(now)]).map(drop)
        })
    }

    async fn ready(
        &self,
        permits: &[(&Permit, usize)],
        now: Timestamp,
        asked_at: Timestamp,
    ) -> Result<HashMap<Arc<str>, Vec<Ready>>, StoreFault> {
        let of = |(permit, most): &(&Permit, usize)| {
            let found = queue::ready(self.0, &permit.job, *most, now, asked_at)?;
            Ok((Arc::clone(&permit.job), found))
        };
        permits.iter().map(of).collect()
    }

    /// Always succeeds: there is no other process.
    async fn claim_trial(&self, _: &str, _: &Permit, _: Timestamp) -> Result<bool, StoreFault> {
        Ok(true)
    }

    async fn begin(&self, taken: &[Begun], now: Timestamp) -> Result<(), StoreFault> {
        taken.iter().try_for_each(|begun| queue::begin(self.0, begun, now))
    }
}
