//! The store: what has been accepted, what became of it, and the queue of runs.
//!
//! [`Store`] is a trait of use cases, not of tables. A call that changes something ends only when
//! the change is committed and flushed; an answer `Ok` is what a 2xx may be built on. Time and ids are
//! passed in.
//!
//! What becomes of a run is decided in `rules`, as pure functions. The use cases in `steps` read facts,
//! ask the rules and write rows, over the trait `Statements`; each store has those statements in its own
//! SQL, and both read and write rows through `tables`, one file a table.

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

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::run::UnlawfulChange;
use crate::model::{AttemptResult, Backlog, DeliveryId, RunId, RunState};

pub use records::{
    Attempt, Audited, Counts, Delivery, DeliveryFilter, DeliverySummary, Pause, Run, RunBrief,
    RunFilter,
};
pub use requests::{
    Accepted, Act, Finish, KeptHeaders, KeyRefused, Lease, LeaseAsk, Leased, NewDelivery, NewRun,
    NewRunState, Next, Pausable, Permit, Release, ReplayRequest, Replayed, ReplayedRun, Retention,
    RetentionStep,
};

/// What a store's call comes to, later.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreFault>> + Send + 'a>>;

/// How long a delivery's key is remembered, so that a sender's repeat is known as one.
pub const REPEAT_WINDOW: std::time::Duration = std::time::Duration::from_secs(7 * 24 * 3600);

/// The use cases of the path and of the people who watch it.
pub trait Store: Send + Sync {
    /// Keeps a delivery with its runs, or recognizes it as a repeat, in one atomic claim of its
    /// source and key. On a repeat, runs that had failed are queued again.
    fn accept(&self, delivery: NewDelivery) -> Pending<'_, Accepted>;

    /// Takes runs whose time has come and begins an attempt for each, on disk, before this ends.
    fn lease_due(&self, ask: LeaseAsk) -> Pending<'_, Leased>;

    /// Records what an attempt came to and what follows. A lease that has been settled by somebody
    /// else is refused as [`StoreFault::LeaseLost`].
    fn finish(&self, finish: Finish) -> Pending<'_, ()>;

    /// The same for an attempt whose key was not refused.
    fn finish_attempt(
        &self,
        lease: Lease,
        result: AttemptResult,
        next: Next,
        now: Timestamp,
    ) -> Pending<'_, ()> {
        self.finish(Finish { lease, result, next, refused: None, now })
    }

    /// Attempts whose lease has run out: whoever held them died or was cut off.
    fn expired_leases(&self, now: Timestamp) -> Pending<'_, Vec<Lease>>;

    /// Fails queued runs whose deadline has passed, a bounded number at a time; gives how many. What
    /// jobs waited for, by job, becomes a part of the reason.
    fn fail_overdue(&self, now: Timestamp, waits: Vec<(Arc<str>, String)>) -> Pending<'_, usize>;

    /// Makes runs due now that would be due after `latest`, which no run that is in order is: the
    /// clock was set back. Gives how many.
    fn pull_in(&self, latest: Timestamp, now: Timestamp) -> Pending<'_, usize>;

    /// Runs a kept delivery through today's routes again, at a person's word.
    fn replay(&self, request: ReplayRequest) -> Pending<'_, Replayed>;

    /// Settles a held run at a person's word.
    fn release(&self, run: RunId, release: Release, act: Act) -> Pending<'_, Run>;

    /// Takes a run out that is not on the wire, at a person's word.
    fn cancel(&self, run: RunId, act: Act) -> Pending<'_, Run>;

    /// Lets something rest: its runs are kept and not sent. `mark` tells, of an API key, whether it
    /// is still the one that was refused.
    fn pause(&self, what: Pausable, mark: Option<Vec<u8>>, act: Act) -> Pending<'_, ()>;

    /// Lets it go on, and says in the same breath what becomes of the runs of these jobs that waited
    /// for it; gives whether it rested. Where it did not, nothing becomes of them.
    fn resume(
        &self,
        what: Pausable,
        backlogs: Vec<(Arc<str>, Backlog)>,
        act: Act,
    ) -> Pending<'_, bool>;

    /// Everything that rests.
    fn pauses(&self) -> Pending<'_, Vec<Pause>>;

    /// Says what becomes of the runs of a job that wait now, after a rest; gives how many it changed.
    fn release_backlog(&self, job: Arc<str>, how: Backlog, now: Timestamp) -> Pending<'_, usize>;

    /// Writes an act that changed nothing else in the store into the book of acts.
    fn note(&self, what: String, kind: String, name: String, act: Act) -> Pending<'_, ()>;

    /// The book of acts, newest first, older than `before`.
    fn audit(&self, before: Option<u64>, limit: usize) -> Pending<'_, Vec<Audited>>;

    /// One delivery, whole.
    fn delivery(&self, id: DeliveryId) -> Pending<'_, Option<Delivery>>;

    /// Deliveries, newest first, without their bodies.
    fn deliveries(&self, filter: DeliveryFilter) -> Pending<'_, Vec<DeliverySummary>>;

    /// One run, whole.
    fn run(&self, id: RunId) -> Pending<'_, Option<Run>>;

    /// Runs, newest first.
    fn runs(&self, filter: RunFilter) -> Pending<'_, Vec<RunBrief>>;

    /// How many runs wait in each state, and for how long the oldest has been due.
    fn counts(&self) -> Pending<'_, Counts>;

    /// How many runs have been held since before this moment.
    fn held_since(&self, before: Timestamp) -> Pending<'_, u64>;

    /// Removes a bounded number of deliveries that retention no longer keeps.
    fn apply_retention(&self, retention: Retention, now: Timestamp) -> Pending<'_, RetentionStep>;

    /// Proves that a change can be committed now.
    fn probe(&self, now: Timestamp) -> Pending<'_, ()>;

    /// What processes that share this store tell each other through it; none where one process has
    /// it for itself.
    fn shared(&self) -> Option<&dyn shared::Shared> {
        None
    }
}

/// Why a call on the store did not succeed. Nothing was changed.
#[derive(Clone, Debug, PartialEq)]
pub enum StoreFault {
    /// The disk, file system or database cannot take it now; it may later.
    Unavailable(String),
    /// The file holds something that this program cannot use; a person must look.
    Unusable(String),
    /// There is no such delivery or run.
    NotFound(String),
    /// The run's state does not allow it.
    Unlawful {
        /// The run.
        run: RunId,
        /// Where it stands.
        state: RunState,
        /// What was refused, in words.
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
