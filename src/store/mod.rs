//! The store: keeps the accepted deliveries, their runs and the queue.
//!
//! [`Store`] is a trait of use cases, not of tables. A call that changes something returns only when the
//! change is committed and flushed to disk, so that a sender may be answered with 2xx after an `Ok`. Time
//! and ids are passed in.
//!
//! Pure functions in `rules` decide what becomes of a run. The use cases in `steps` read facts, call the
//! rules and write rows through the trait `Statements`. The SQLite and the PostgreSQL store each implement
//! `Statements` in their own SQL. Both convert rows in `tables`, which has one file per table.

mod acts;
mod asks;
mod migrations;
mod pack;
pub mod postgres;
mod records;
mod requests;
mod rules;
pub mod shared;
pub mod sqlite;
mod statements;
mod steps;
mod tables;

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::run::UnlawfulChange;
use crate::model::{AttemptResult, Backlog, DeliveryId, IdPrefix, RunId, RunState};

pub use acts::{Act, Pausable};
pub use asks::{Asks, NotAsked, Until};
pub use records::{
    Attempt, Audited, BacklogRow, Counts, Delivery, DeliveryFilter, DeliverySummary, Erased,
    Failures, LATELY_ROWS, Lately, MOST_BODY, Pause, Queue, QueueRow, Reading, RouteFile, Run,
    RunBrief, RunFilter, RunsLately, SourceLately,
};
pub use requests::{
    Accepted, Erasure, Finish, KeptHeaders, KeyRefused, Lease, LeaseAsk, Leased, NewDelivery,
    NewRun, NewRunState, Next, Permit, Release, ReplayRequest, Replayed, ReplayedRun, Retention,
    RetentionStep, Superseded,
};

/// The future of a call to the store.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreFault>> + Send + 'a>>;

/// How long retention keeps a delivery at least, so that a repeat by the sender is recognized. A claim may
/// last longer, and keeps its delivery then.
const REPEAT_WINDOW: std::time::Duration = std::time::Duration::from_secs(7 * 24 * 3600);

/// Most ids that are read for the beginning of an id. More than one says that it is ambiguous; a person chooses
/// among a few.
pub const MOST_LIKE: usize = 6;

/// The use cases of receiving, dispatching and administration.
pub trait Store: Send + Sync {
    /// Keeps a delivery with its runs, or recognizes it as a repeat. It claims the delivery's source and key
    /// atomically. On a repeat, runs that had failed are queued again. A delivery with a known key and other
    /// content is kept as another one.
    fn accept(&self, delivery: NewDelivery) -> Pending<'_, Accepted>;

    /// Takes runs that are due and commits a new attempt for each of them.
    fn lease_due(&self, ask: LeaseAsk) -> Pending<'_, Leased>;

    /// Records the result of an attempt and what follows it. Fails with [`StoreFault::LeaseLost`] where
    /// somebody else has settled the attempt.
    fn finish(&self, finish: Finish) -> Pending<'_, ()>;

    /// Calls [`Store::finish`] for an attempt whose key was not refused.
    fn finish_attempt(
        &self,
        lease: Lease,
        result: AttemptResult,
        next: Next,
        now: Timestamp,
    ) -> Pending<'_, ()> {
        self.finish(Finish { lease, result, next, refused: None, now })
    }

    /// Attempts whose lease has expired: their process died or was cut off.
    fn expired_leases(&self, now: Timestamp) -> Pending<'_, Vec<Lease>>;

    /// Fails unsent runs whose deadline has passed, a bounded number per call; gives how many of each job.
    /// `waits` says by job what the runs waited for, which becomes a part of the reason.
    fn fail_overdue(
        &self,
        now: Timestamp,
        waits: Vec<(Arc<str>, String)>,
    ) -> Pending<'_, BTreeMap<String, usize>>;

    /// Makes runs due now whose due time is after `latest`; gives how many. Such a due time shows that the
    /// clock was set back.
    fn pull_in(&self, latest: Timestamp, now: Timestamp) -> Pending<'_, usize>;

    /// Writes the runs that the current routes ask for a kept delivery, at a person's command.
    fn replay(&self, request: ReplayRequest) -> Pending<'_, Replayed>;

    /// Removes the content of a delivery for good, at a person's command. Its runs that are not sent yet are
    /// cancelled; a repeat of it is still recognized, and starts nothing. Fails with
    /// [`StoreFault::Unlawful`] while one of its runs is being sent.
    fn erase(&self, delivery: DeliveryId, act: Act) -> Pending<'_, Erasure>;

    /// Settles a held run by a person's decision, or queues a failed one again. Fails with
    /// [`StoreFault::Unlawful`] where its state does not allow it.
    fn release(&self, run: RunId, release: Release, act: Act) -> Pending<'_, Run>;

    /// Cancels a run at a person's command. Fails with [`StoreFault::Unlawful`] where the run is being sent
    /// or has ended.
    fn cancel(&self, run: RunId, act: Act) -> Pending<'_, Run>;

    /// Pauses something: its runs are kept and not sent. `mark` belongs to a refused API key and tells later
    /// whether the key has changed.
    fn pause(&self, what: Pausable, mark: Option<Vec<u8>>, act: Act) -> Pending<'_, ()>;

    /// Ends a pause, and applies in the same transaction what becomes of the backlog of these jobs; gives
    /// whether there was a pause. Without one the backlogs are left as they are.
    fn resume(
        &self,
        what: Pausable,
        backlogs: Vec<(Arc<str>, Backlog)>,
        act: Act,
    ) -> Pending<'_, bool>;

    /// All pauses.
    fn pauses(&self) -> Pending<'_, Vec<Pause>>;

    /// Applies `how` to the backlog of a job, which are its runs that are ready now; gives how many it
    /// changed.
    fn release_backlog(&self, job: Arc<str>, how: Backlog, now: Timestamp) -> Pending<'_, usize>;

    /// Writes an act that changed nothing else in the store into the audit log.
    fn note(&self, what: String, kind: String, name: String, act: Act) -> Pending<'_, ()>;

    /// Entries of the audit log that are older than `before`, newest first.
    fn audit(&self, before: Option<u64>, limit: usize) -> Pending<'_, Vec<Audited>>;

    /// One delivery with its content and runs.
    fn delivery(&self, id: DeliveryId) -> Pending<'_, Option<Delivery>> {
        self.read_delivery(id, Reading::Whole { most_body: MOST_BODY })
    }

    /// One delivery with its runs, and with as much of its content as is asked for. Memory is taken only
    /// within that bound, whatever its row claims.
    fn read_delivery(&self, id: DeliveryId, reading: Reading) -> Pending<'_, Option<Delivery>>;

    /// Deliveries, newest first, without their bodies.
    fn deliveries(&self, filter: DeliveryFilter) -> Pending<'_, Vec<DeliverySummary>>;

    /// Ids of deliveries that begin so, lowest first, [`MOST_LIKE`] at most.
    fn deliveries_like(&self, prefix: IdPrefix) -> Pending<'_, Vec<DeliveryId>>;

    /// Ids of runs that begin so, lowest first, [`MOST_LIKE`] at most.
    fn runs_like(&self, prefix: IdPrefix) -> Pending<'_, Vec<RunId>>;

    /// One run with its variables, attempts and acts.
    fn run(&self, id: RunId) -> Pending<'_, Option<Run>>;

    /// Runs, newest first.
    fn runs(&self, filter: RunFilter) -> Pending<'_, Vec<RunBrief>>;

    /// How many runs are in each state that is not final, and when the oldest of them were accepted.
    fn counts(&self) -> Pending<'_, Counts>;

    /// What has not ended, by job and state, and the backlogs that are being released.
    fn queue(&self) -> Pending<'_, Queue>;

    /// How many queued runs of a job have a deadline before this moment.
    fn late(&self, job: Arc<str>, before: Timestamp) -> Pending<'_, u64>;

    /// The runs that have failed since this moment and are still failed, by job, most first; at most 1,000
    /// jobs.
    fn failed_since(&self, since: Timestamp) -> Pending<'_, Vec<Failures>>;

    /// The newest [`LATELY_ROWS`] deliveries by source, and as many runs by route, job and state. Those since this
    /// moment are counted.
    fn lately(&self, since: Timestamp) -> Pending<'_, Lately>;

    /// How many runs have been held since before this moment.
    fn held_since(&self, before: Timestamp) -> Pending<'_, u64>;

    /// Removes deliveries that retention no longer keeps, a bounded number per call.
    fn apply_retention(&self, retention: Retention, now: Timestamp) -> Pending<'_, RetentionStep>;

    /// The last versions without faults of the files of `routes.d/`, by name.
    fn route_files(&self) -> Pending<'_, Vec<RouteFile>>;

    /// Keeps these versions of files of `routes.d/`, each a name and a text, and forgets files whose names are not
    /// among `names`.
    fn keep_route_files(
        &self,
        files: Vec<(String, String)>,
        names: Vec<String>,
        now: Timestamp,
    ) -> Pending<'_, ()>;

    /// Commits a small change, to prove that the store can be written now.
    fn probe(&self, now: Timestamp) -> Pending<'_, ()>;

    /// What the processes that share this store tell each other; `None` where only one process can use it.
    fn shared(&self) -> Option<&dyn shared::Shared> {
        None
    }
}

/// Why a call to the store failed. Nothing was changed.
#[derive(Clone, Debug, PartialEq)]
pub enum StoreFault {
    /// The disk, file system or database refuses now; a later call may succeed.
    Unavailable(String),
    /// The store holds something that this program cannot use; a person must repair it.
    Unusable(String),
    /// There is no such delivery or run.
    NotFound(String),
    /// The run's state does not allow it.
    Unlawful {
        /// The run.
        run: RunId,
        /// Its state.
        state: RunState,
        /// What was refused and why, for people.
        message: String,
    },
    /// The attempt was settled by somebody else.
    LeaseLost(RunId),
}

impl StoreFault {
    pub(crate) fn unlawful(run: RunId, refused: &UnlawfulChange) -> Self {
        Self::Unlawful { run, state: refused.state, message: refused.to_string() }
    }
}

impl fmt::Display for StoreFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(why) => write!(f, "the store cannot keep it now: {why}"),
            Self::Unusable(why) => write!(f, "the store cannot be used: {why}"),
            Self::NotFound(what) => write!(f, "there is no {what}"),
            Self::Unlawful { run, message, .. } => write!(f, "run {run}: {message}"),
            Self::LeaseLost(run) => {
                write!(f, "the attempt of run {run} was settled by somebody else")
            }
        }
    }
}

impl std::error::Error for StoreFault {}
