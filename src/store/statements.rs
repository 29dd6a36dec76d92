//! What a use case reads and writes, inside one transaction: facts in, rows out, and nothing decided.
//!
//! Each store has these statements in its own SQL; the use cases in [`steps`](super::steps) are written
//! once, over this trait. A store that does not wait answers at once.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::pack::Packed;
use super::rules::limits::{JobFacts, Ready};
use super::rules::new::NewRow;
use super::rules::run::{Moved, RunRow};
use super::tables::runs::Which;
use super::{Act, Pausable, Permit, Run, RunBrief, StoreFault};
use crate::model::{DeliveryId, RunId};

/// What other processes that share the store are told of, once the transaction is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum About {
    /// There is something in the queue.
    Runs,
    /// Something was paused or resumed, or another configuration is in force.
    Pauses,
}

/// The queue as a look that takes nothing sees it.
#[derive(Debug)]
pub(in crate::store) struct Seen {
    /// The time by which leases are judged.
    pub(in crate::store) now: Timestamp,
    /// When the first of the runs that are kept apart until their time falls due.
    pub(in crate::store) later: Option<Timestamp>,
    /// What is paused.
    pub(in crate::store) pauses: Vec<Pausable>,
    /// Jobs with a run that may be sent.
    pub(in crate::store) waiting: HashSet<String>,
    /// The jobs that the configuration in force allows, where processes have said which it is.
    pub(in crate::store) allowed: Option<Vec<String>>,
}

/// An attempt that is begun.
#[derive(Debug)]
pub(in crate::store) struct Begun {
    /// The run, with its lease.
    pub(in crate::store) run: Ready,
    /// When its lease ends.
    pub(in crate::store) until: Timestamp,
    /// Whether the start is to be remembered for its job's limits.
    pub(in crate::store) counted: bool,
}

/// The statements of one transaction.
pub(in crate::store) trait Statements {
    /// Keeps a delivery, without its runs, where it can claim its source and key; else counts the repeat
    /// and gives the delivery that holds the claim, locked.
    async fn keep(&self, packed: &Packed) -> Result<Option<DeliveryId>, StoreFault>;

    /// Whether there is such a delivery; locked, so that two acts on it come one after the other.
    async fn has_delivery(&self, id: DeliveryId) -> Result<bool, StoreFault>;

    /// The runs of a delivery, in short.
    async fn runs_in_short(&self, delivery: DeliveryId) -> Result<Vec<RunBrief>, StoreFault>;

    /// Writes a new run.
    async fn insert(&self, delivery: DeliveryId, row: &NewRow<'_>) -> Result<(), StoreFault>;

    /// One run, locked.
    async fn run(&self, id: RunId) -> Result<Option<RunRow>, StoreFault>;

    /// One run as people see it.
    async fn whole(&self, id: RunId) -> Result<Option<Run>, StoreFault>;

    /// Runs, locked.
    async fn runs(&self, which: Which<'_>) -> Result<Vec<RunRow>, StoreFault>;

    /// Writes what became of runs, by their place in the order of acceptance.
    async fn write(&self, rows: &[(i64, Moved)]) -> Result<(), StoreFault>;

    /// Makes every run of a burst one of another.
    async fn merge(&self, from: i64, into: i64) -> Result<(), StoreFault>;

    /// Keeps everybody else from the runs of these routes and kinds until the transaction ends.
    async fn alone_with(&self, kinds: Vec<(&str, &str)>) -> Result<(), StoreFault>;

    /// Keeps what a person did with a run.
    async fn note(&self, run: RunId, word: &str, act: &Act) -> Result<(), StoreFault>;

    /// Writes an act into the audit log.
    async fn audit(&self, word: &str, kind: &str, name: &str, act: &Act) -> Result<(), StoreFault>;

    /// Keeps a pause; one that is there stays, with the newer mark.
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

    /// Keeps up to which run a job's backlog is let go at a pace.
    async fn put_backlog(&self, job: &str, up_to: i64) -> Result<(), StoreFault>;

    /// Tells other processes.
    async fn tell(&self, about: About) -> Result<(), StoreFault>;

    /// Looks at the queue, taking nothing.
    async fn see(&self, told: Option<Timestamp>) -> Result<Seen, StoreFault>;

    /// What is known of the jobs of these permits, in their request, and the time at which it was so. Keeps
    /// everybody else from taking runs of these jobs until the transaction ends.
    async fn jobs(
        &self,
        permits: &[&Permit],
        told: Option<Timestamp>,
    ) -> Result<(Timestamp, Vec<JobFacts>), StoreFault>;

    /// Ends the pace of these jobs' backlogs.
    async fn end_backlogs(&self, jobs: &[&str]) -> Result<(), StoreFault>;

    /// Forgets starts before a moment, and takes those after now for made now.
    async fn forget_starts(
        &self,
        jobs: &[&str],
        before: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreFault>;

    /// Runs that may be sent, oldest first, at most so many of each permit's job. What was seen to be
    /// paused or allowed is looked at again.
    async fn ready(
        &self,
        permits: &[(&Permit, usize)],
        now: Timestamp,
        asked_at: Timestamp,
    ) -> Result<HashMap<Arc<str>, Vec<Ready>>, StoreFault>;

    /// Claims the one trial of a workbench whose circuit breaker is open; false where another process has
    /// it.
    async fn claim_trial(
        &self,
        workbench: &str,
        permit: &Permit,
        now: Timestamp,
    ) -> Result<bool, StoreFault>;

    /// Writes the attempts of all that was taken.
    async fn begin(&self, taken: &[Begun], now: Timestamp) -> Result<(), StoreFault>;
}
