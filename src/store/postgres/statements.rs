//! The statements of one transaction, on one connection.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::connection::Connection;
use super::values::{length, millis, params, text, uuid};
use super::{CHANNEL, PAUSES, RUNS, deliveries, erase, queue, read, replicas, runs};
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

impl Statements for Connection {
    async fn keep(&self, packed: &Packed, claim: &Claim<'_>) -> Result<Option<Held>, StoreFault> {
        deliveries::keep_or_find(self, packed, claim).await
    }

    async fn prolong(&self, source: &str, key: &str, until: Timestamp) -> Result<(), StoreFault> {
        let sql = "UPDATE claims SET expires_at = $3 \
                   WHERE source = $1 AND delivery_key = $2 AND expires_at < $3";
        self.execute(sql, params![source, text(key), millis(until)]).await?;
        Ok(())
    }

    async fn count_repeat(&self, id: DeliveryId, now: Timestamp) -> Result<bool, StoreFault> {
        deliveries::count_repeat(self, id, now).await
    }

    async fn is_erased(&self, id: DeliveryId) -> Result<Option<bool>, StoreFault> {
        let sql = "SELECT erased_at IS NOT NULL AS erased FROM deliveries WHERE id = $1 FOR UPDATE";
        let found = self.one(sql, params![uuid(id.as_bytes())]).await?;
        found.map(|row| row.flag("erased")).transpose()
    }

    async fn erase_content(&self, id: DeliveryId, act: &Act) -> Result<(), StoreFault> {
        erase::content(self, id, act).await
    }

    async fn runs_in_short(&self, delivery: DeliveryId) -> Result<Vec<RunBrief>, StoreFault> {
        read::runs_of(self, &[uuid(delivery.as_bytes())]).await
    }

    async fn insert(&self, delivery: DeliveryId, row: &NewRow<'_>) -> Result<(), StoreFault> {
        runs::insert(self, delivery, row.clone()).await
    }

    async fn run(&self, id: RunId) -> Result<Option<RunRow>, StoreFault> {
        runs::one_run(self, id).await
    }

    async fn whole(&self, id: RunId) -> Result<Option<Run>, StoreFault> {
        read::run(self, id).await
    }

    async fn runs(&self, which: Which<'_>) -> Result<Vec<RunRow>, StoreFault> {
        runs::some(self, &which).await
    }

    async fn write(&self, rows: &[(i64, Moved)]) -> Result<(), StoreFault> {
        runs::write(self, rows).await
    }

    async fn merge(&self, from: i64, into: i64) -> Result<(), StoreFault> {
        self.execute("UPDATE runs SET burst = $1 WHERE burst = $2", params![into, from]).await?;
        Ok(())
    }

    /// Takes an advisory lock for each pair of route and text, always in the same order.
    async fn alone_with(&self, mut kinds: Vec<(&str, &str)>) -> Result<(), StoreFault> {
        kinds.sort_unstable();
        kinds.dedup();
        for (route, key) in kinds {
            let name = format!("{route}\n{}", text(key));
            let sql = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))::text";
            self.query(sql, params![name]).await?;
        }
        Ok(())
    }

    async fn note(&self, run: RunId, word: &str, act: &Act) -> Result<(), StoreFault> {
        let sql = "INSERT INTO acts (run, at, who, act, note) VALUES ($1, $2, $3, $4, $5)";
        let (run, note) = (uuid(run.as_bytes()), act.note.as_deref().map(text));
        self.execute(sql, params![run, millis(act.at), &*act.who, word, note]).await?;
        Ok(())
    }

    async fn audit(&self, word: &str, kind: &str, name: &str, act: &Act) -> Result<(), StoreFault> {
        let sql = "INSERT INTO audit (at, who, origin, act, kind, name, note) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let (at, note) = (millis(act.at), act.note.as_deref().map(text));
        let origin = act.origin.as_deref();
        self.execute(sql, params![at, &*act.who, origin, word, kind, text(name), note]).await?;
        Ok(())
    }

    async fn put_pause(
        &self,
        what: &Pausable,
        mark: Option<&[u8]>,
        act: &Act,
    ) -> Result<(), StoreFault> {
        let sql = "INSERT INTO pauses (kind, name, since, who, note, mark) \
                   VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (kind, name) \
                   DO UPDATE SET mark = coalesce(excluded.mark, pauses.mark)";
        let (since, note) = (millis(act.at), act.note.as_deref().map(text));
        let (kind, name) = (what.kind(), what.name());
        self.execute(sql, params![kind, name, since, &*act.who, note, mark]).await?;
        Ok(())
    }

    async fn remove_pause(&self, what: &Pausable) -> Result<bool, StoreFault> {
        let sql = "DELETE FROM pauses WHERE kind = $1 AND name = $2";
        Ok(self.execute(sql, params![what.kind(), what.name()]).await? > 0)
    }

    async fn last_ready(&self, job: &str) -> Result<Option<i64>, StoreFault> {
        let sql = format!("SELECT seq FROM runs WHERE {READY} AND job = $1 {LAST_FIRST} LIMIT 1");
        self.one(&sql, params![job]).await?.map(|row| row.integer("seq")).transpose()
    }

    async fn put_backlog(&self, job: &str, up_to: i64, now: Timestamp) -> Result<(), StoreFault> {
        let sql = format!(
            "INSERT INTO backlogs (job, up_to, since, size) VALUES ($1, $2, $3, \
               (SELECT count(*) FROM runs WHERE {READY} AND job = $1 AND seq <= $2)) \
             ON CONFLICT (job) DO UPDATE SET up_to = excluded.up_to, since = excluded.since, \
               size = excluded.size"
        );
        self.execute(&sql, params![job, up_to, millis(now)]).await?;
        Ok(())
    }

    async fn tell(&self, about: About) -> Result<(), StoreFault> {
        let about = match about {
            About::Runs => RUNS,
            About::Pauses => PAUSES,
        };
        self.query("SELECT pg_notify($1, $2)::text", params![CHANNEL, about]).await?;
        Ok(())
    }

    async fn see(&self, ask: &LeaseAsk, told: Option<Timestamp>) -> Result<Seen, StoreFault> {
        queue::see(self, ask, told).await
    }

    async fn jobs(
        &self,
        permits: &[&Permit],
        told: Option<Timestamp>,
    ) -> Result<(Timestamp, Vec<JobFacts>), StoreFault> {
        queue::jobs(self, permits, told).await
    }

    async fn end_backlogs(&self, jobs: &[&str]) -> Result<(), StoreFault> {
        let sql = "DELETE FROM backlogs WHERE job = ANY ($1)";
        self.execute(sql, params![jobs.to_vec()]).await?;
        Ok(())
    }

    async fn forget_starts(
        &self,
        jobs: &[&str],
        before: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreFault> {
        let old = "DELETE FROM starts WHERE job = ANY ($1) AND at <= $2";
        self.execute(old, params![jobs.to_vec(), millis(before)]).await?;
        let ahead = "UPDATE starts SET at = $2 WHERE job = ANY ($1) AND at > $2";
        self.execute(ahead, params![jobs.to_vec(), millis(now)]).await?;
        Ok(())
    }

    async fn ready(
        &self,
        permits: &[(&Permit, usize)],
        now: Timestamp,
        asked_at: Timestamp,
    ) -> Result<HashMap<Arc<str>, Vec<Ready>>, StoreFault> {
        queue::ready(self, permits, now, asked_at).await
    }

    async fn claim_trial(
        &self,
        workbench: &str,
        permit: &Permit,
        now: Timestamp,
    ) -> Result<bool, StoreFault> {
        let until = millis(now).saturating_add(length(permit.lease));
        replicas::take_trial(self, workbench, millis(now), until).await
    }

    async fn begin(&self, taken: &[Begun], now: Timestamp) -> Result<(), StoreFault> {
        queue::begin(self, taken, now).await
    }
}
