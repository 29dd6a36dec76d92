//! The statements of one transaction: they read facts and write rows, and decide nothing.
//!
//! Each store implements them in its own SQL. The use cases in [`steps`](super::steps) are written once, over
//! this trait. The futures of the SQLite store are ready at once, since it never waits.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::pack::Packed;
use super::rules::asked::Others;
use super::rules::claims::Held;
use super::rules::limits::{JobFacts, Ready};
use super::rules::new::NewRow;
use super::rules::run::{Moved, RunRow};
use super::tables::runs::Which;
use super::{Act, LeaseAsk, Pausable, Permit, Run, RunBrief, StoreFault};
use crate::model::{DeliveryId, RunId};

/// A notification to the other processes that share the store. It is sent when the transaction commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum About {
    /// There may be runs to take from the queue.
    Runs,
    /// Something was paused or resumed, or another configuration is in force.
    Pauses,
}

/// The state of the queue, read without taking anything.
#[derive(Debug)]
pub(in crate::store) struct Seen {
    /// The time now, by the clock that the store uses for leases.
    pub(in crate::store) now: Timestamp,
    /// When the first of the runs that are not due yet falls due.
    pub(in crate::store) later: Option<Timestamp>,
    /// What is paused.
    pub(in crate::store) pauses: Vec<Pausable>,
    /// Jobs with a run that may be sent.
    pub(in crate::store) waiting: HashSet<String>,
    /// The jobs that the configuration in force allows; `None` where no process has declared one.
    pub(in crate::store) allowed: Option<Vec<String>>,
    /// What other processes run, compared with the configuration of the one who asks.
    pub(in crate::store) others: Others,
}

/// An attempt to begin.
#[derive(Debug)]
pub(in crate::store) struct Begun {
    /// The run, with its lease.
    pub(in crate::store) run: Ready,
    /// When its lease ends.
    pub(in crate::store) until: Timestamp,
    /// Whether the start is recorded for its job's limits.
    pub(in crate::store) counted: bool,
}

/// What a delivery claims.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct Claim<'c> {
    /// The key, within the delivery's source.
    pub(in crate::store) key: &'c str,
    /// How long the claim lasts.
    pub(in crate::store) until: Timestamp,
    /// The delivery to which the sender gave the same id, with other content.
    pub(in crate::store) same_id_as: Option<DeliveryId>,
}

/// The statements of one transaction.
pub(in crate::store) trait Statements {
    /// Inserts a delivery without its runs, if it can make the claim. Otherwise it gives the delivery that
    /// has the claim.
    async fn keep(&self, packed: &Packed, claim: &Claim<'_>) -> Result<Option<Held>, StoreFault>;

    /// Makes a claim last until this moment at least.
    async fn prolong(&self, source: &str, key: &str, until: Timestamp) -> Result<(), StoreFault>;

    /// Counts a repeat of a delivery, and locks the delivery; gives whether its content was erased.
    async fn count_repeat(&self, id: DeliveryId, now: Timestamp) -> Result<bool, StoreFault>;

    /// Whether the content of this delivery was erased; `None` where there is no such delivery. Locks it, so
    /// that two acts on it are serialized.
    async fn is_erased(&self, id: DeliveryId) -> Result<Option<bool>, StoreFault>;

    /// Removes what a delivery, its runs and their attempts hold of its content, and records who erased it.
    async fn erase_content(&self, id: DeliveryId, act: &Act) -> Result<(), StoreFault>;

    /// The runs of a delivery, as a list shows them.
    async fn runs_in_short(&self, delivery: DeliveryId) -> Result<Vec<RunBrief>, StoreFault>;

    /// Writes a new run.
    async fn insert(&self, delivery: DeliveryId, row: &NewRow<'_>) -> Result<(), StoreFault>;

    /// One run, locked.
    async fn run(&self, id: RunId) -> Result<Option<RunRow>, StoreFault>;

    /// One run with its variables, attempts and acts.
    async fn whole(&self, id: RunId) -> Result<Option<Run>, StoreFault>;

    /// Runs, locked.
    async fn runs(&self, which: Which<'_>) -> Result<Vec<RunRow>, StoreFault>;

    /// Updates runs, by their `seq`.
    async fn write(&self, rows: &[(i64, Moved)]) -> Result<(), StoreFault>;

    /// Moves every run of one burst into another.
    async fn merge(&self, from: i64, into: i64) -> Result<(), StoreFault>;

    /// Locks the runs of these pairs of route and `latest_per` text against other transactions, until this
    /// one ends.
    async fn alone_with(&self, kinds: Vec<(&str, &str)>) -> Result<(), StoreFault>;

    /// Records what a person did with a run.
    async fn note(&self, run: RunId, word: &str, act: &Act) -> Result<(), StoreFault>;

    /// Writes an act into the audit log.
    async fn audit(&self, word: &str, kind: &str, name: &str, act: &Act) -> Result<(), StoreFault>;

    /// Inserts a pause. An existing one stays, but takes the new mark, if there is one.
    async fn put_pause(
        &self,
        what: &Pausable,
        mark: Option<&[u8]>,
        act: &Act,
    ) -> Result<(), StoreFault>;

    /// Removes a pause; gives whether there was one.
    async fn remove_pause(&self, what: &Pausable) -> Result<bool, StoreFault>;

    /// The last run of a job that may be sent.
    async fn last_ready(&self, job: &str) -> Result<Option<i64>, StoreFault>;

    /// Records that a job's runs up to this `seq` are a backlog, which is released at a pace from now on,
    /// and how many they are.
    async fn put_backlog(&self, job: &str, up_to: i64, now: Timestamp) -> Result<(), StoreFault>;

    /// Notifies the other processes when the transaction commits.
    async fn tell(&self, about: About) -> Result<(), StoreFault>;

    /// Reads the state of the queue, as far as it is about the jobs of this request. `told` is the time now,
    /// where the store takes it from the caller.
    async fn see(&self, ask: &LeaseAsk, told: Option<Timestamp>) -> Result<Seen, StoreFault>;

    /// The facts about the jobs of these permits, in the order of the permits, and the time at which they
    /// were read. Keeps other transactions from taking runs of these jobs until this one ends.
    async fn jobs(
        &self,
        permits: &[&Permit],
        told: Option<Timestamp>,
    ) -> Result<(Timestamp, Vec<JobFacts>), StoreFault>;

    /// Ends the paced release of these jobs' backlogs.
    async fn end_backlogs(&self, jobs: &[&str]) -> Result<(), StoreFault>;

    /// Deletes recorded starts up to `before`. Starts that lie after `now` are recorded as made now.
    async fn forget_starts(
        &self,
        jobs: &[&str],
        before: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreFault>;

    /// Runs that may be sent, oldest first, with the given maximum for each permit's job. Where other
    /// processes share the store, it checks again that the job is not paused and is allowed.
    async fn ready(
        &self,
        permits: &[(&Permit, usize)],
        now: Timestamp,
        asked_at: Timestamp,
    ) -> Result<HashMap<Arc<str>, Vec<Ready>>, StoreFault>;

    /// Claims the trial of a workbench whose circuit breaker is half-open; false where another process has
    /// claimed it.
    async fn claim_trial(
        &self,
        workbench: &str,
        permit: &Permit,
        now: Timestamp,
    ) -> Result<bool, StoreFault>;

    /// Writes the attempts of all runs that were taken.
    async fn begin(&self, taken: &[Begun], now: Timestamp) -> Result<(), StoreFault>;
}
