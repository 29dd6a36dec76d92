//! The arguments and results of the store's use cases: plain data, shared by both stores.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serializer;

use super::acts::{Act, Pausable};
use super::asks::Asks;
use super::records::RunBrief;
use crate::model::{
    AttemptResult, ContentDigest, DeliveryId, Environment, Latest, RunId, RunState,
};

/// A delivery to keep. It contains no secret: headers that carry one have been left out.
#[derive(Clone, Debug)]
pub struct NewDelivery {
    /// Its new id.
    pub id: DeliveryId,
    /// The source that received it.
    pub source: Arc<str>,
    /// The source's provider.
    pub provider: Arc<str>,
    /// What kind of event it is, provider-neutral.
    pub kind: Arc<str>,
    /// The sender's own name of the event, where it differs from the kind.
    pub name: Option<Arc<str>>,
    /// Identifies the delivery within its source; repeats have the same key.
    pub key: Arc<str>,
    /// Tells deliveries of the same key apart; repeats have the same digest.
    pub digest: ContentDigest,
    /// How long its key is claimed, so that a repeat of it is recognized. Zero: each request is a delivery
    /// of its own.
    pub window: Duration,
    /// True for a handshake, which starts nothing.
    pub handshake: bool,
    /// When it was received.
    pub received_at: Timestamp,
    /// Address of the sender.
    pub remote: Option<String>,
    /// Its headers, in the order received.
    pub headers: KeptHeaders,
    /// Its query string, as received.
    pub query: String,
    /// Its body, byte for byte.
    pub body: Bytes,
    /// The claims of the sender's token, as JSON; `None` where there was no token.
    pub claims: Option<String>,
    /// The explanation, as JSON: which routes matched, and which test each other route failed.
    pub explanation: Vec<u8>,
    /// The runs that it asks for.
    pub runs: Vec<NewRun>,
}

/// Headers as they are stored: a JSON array of pairs of name and text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptHeaders(Vec<u8>);

impl KeptHeaders {
    /// The JSON.
    pub fn json(&self) -> &[u8] {
        &self.0
    }
}

impl<'t> FromIterator<(&'t str, &'t str)> for KeptHeaders {
    fn from_iter<Pairs: IntoIterator<Item = (&'t str, &'t str)>>(pairs: Pairs) -> Self {
        let mut json = Vec::with_capacity(1024);
        // Writing texts into memory cannot fail.
        let _ = serde_json::Serializer::new(&mut json).collect_seq(pairs);
        Self(json)
    }
}

/// A run to keep with its delivery.
#[derive(Clone, Debug)]
pub struct NewRun {
    /// Its new id.
    pub id: RunId,
    /// The route that asks for it.
    pub route: Arc<str>,
    /// The job to start.
    pub job: Arc<str>,
    /// Which event of the delivery it stands for, counted from 0.
    pub part: u32,
    /// Its first state.
    pub state: NewRunState,
    /// After this moment it is no longer worth starting.
    pub deadline: Timestamp,
    /// Set where the route has `latest_per`, so that only the newest run with the same text is sent.
    pub latest: Option<Latest>,
}

/// The first state of a run.
#[derive(Clone, Debug)]
pub enum NewRunState {
    /// Waits to be sent, with these variables.
    Queued(Environment),
    /// Waits for a person's decision, with the reason.
    Held(Environment, String),
    /// Its mapping failed; the reason says how.
    Failed(String),
}

/// Whether a delivery was new or a repeat.
#[derive(Clone, Debug, PartialEq)]
pub enum Accepted {
    /// It and its runs are on disk.
    Kept {
        /// How many runs of each job its own runs took the place of.
        superseded: Superseded,
    },
    /// It and its runs are on disk, although its key is that of a kept delivery: its content is another.
    Another {
        /// The id of the delivery that has the key.
        same_id_as: DeliveryId,
        /// How many runs of each job its own runs took the place of.
        superseded: Superseded,
    },
    /// A delivery with the same source, key and content had been kept before.
    Repeat {
        /// The id of the first delivery.
        delivery: DeliveryId,
        /// The runs of the first delivery, as they are now.
        runs: Vec<RunBrief>,
        /// Runs that had failed and are queued again.
        requeued: Vec<RunId>,
    },
}

/// How many runs of each job were superseded.
pub type Superseded = Vec<(Arc<str>, usize)>;

impl Accepted {
    /// A delivery that took the place of nothing.
    pub const KEPT: Self = Self::Kept { superseded: Superseded::new() };

    /// The runs that this delivery's took the place of.
    pub fn superseded(&self) -> &[(Arc<str>, usize)] {
        match self {
            Self::Kept { superseded } | Self::Another { superseded, .. } => superseded,
            Self::Repeat { .. } => &[],
        }
    }
}

/// How many runs of a job may be taken now.
#[derive(Clone, Debug)]
pub struct Permit {
    /// The job.
    pub job: Arc<str>,
    /// At most this many.
    pub count: usize,
    /// Start requests of the job that may be in flight at once, over all processes that share the store.
    pub at_once: usize,
    /// The API key that it is started with, as `workbench/key`.
    pub key: Option<Arc<str>>,
    /// The job as the configuration declares it: its name, a space and a digest of its declaration.
    pub declared: Arc<str>,
    /// Length of the lease: the longest that an attempt can take, with a margin.
    pub lease: Duration,
    /// Most starts in any minute.
    pub per_minute: Option<u32>,
    /// Most runs in any hour; further runs are held for a person.
    pub per_hour: Option<u32>,
    /// Most starts in any minute while a backlog is released at a pace. `None`: the pace follows the
    /// backlog's size ([`crate::model::pace`]).
    pub backlog_per_minute: Option<u32>,
    /// The workbench that this start is a trial of. Permits for the same workbench get one run in all.
    pub trial: Option<Arc<str>>,
    /// Most bytes of all names and values of a run's variables together.
    pub env_max: usize,
}

impl Permit {
    /// Whether the job as declared is among those that a configuration allows.
    pub fn is_among(&self, allowed: &[String]) -> bool {
        allowed.iter().any(|job| **job == *self.declared)
    }
}

/// A request for work.
#[derive(Clone, Debug)]
pub struct LeaseAsk {
    /// The time now.
    pub now: Timestamp,
    /// In the order in which jobs are to be served.
    pub permits: Vec<Permit>,
    /// At most this many in all.
    pub most: usize,
    /// The configuration that the runs are held against before their attempts begin.
    pub plan: Arc<dyn Asks>,
    /// Its version. A configuration that is not in force decides about no run that it does not ask for.
    pub version: Arc<str>,
}

/// Work that was taken.
#[derive(Debug, Default)]
pub struct Leased {
    /// One begun attempt each.
    pub leases: Vec<Lease>,
    /// When to look at the queue again at the latest; `None` where nothing is known to fall due.
    pub next_due: Option<Timestamp>,
    /// Jobs whose brake (`starts_per_hour`) held runs, and how many.
    pub held: Vec<(Arc<str>, usize)>,
    /// Jobs with runs that are held because the configuration does not ask for them, and how many.
    pub not_asked: Vec<(Arc<str>, usize)>,
    /// Jobs that have reached their limit of starts per minute, and when the next start is allowed.
    pub limited: Vec<(Arc<str>, Timestamp)>,
}

/// The right, and the duty, to settle one attempt.
#[derive(Clone, Debug)]
pub struct Lease {
    /// The run.
    pub run: RunId,
    /// Its delivery.
    pub delivery: DeliveryId,
    /// Its route.
    pub route: Arc<str>,
    /// Its job.
    pub job: Arc<str>,
    /// Variables to start it with.
    pub environment: Environment,
    /// Which attempt this is, counted from 1. It is a fencing token: only the latest attempt can be settled.
    pub attempt: u32,
    /// When the attempt was begun, by the clock that the store uses for leases.
    pub begun_at: Timestamp,
    /// When the lease was asked for, by the clock of the process that asked.
    pub asked_at: Timestamp,
    /// When its delivery was accepted.
    pub accepted_at: Timestamp,
    /// After this moment the run is no longer worth starting.
    pub deadline: Timestamp,
    /// True where the start is the trial of a half-open circuit breaker.
    pub trial: bool,
}

/// The result of an attempt, to be recorded.
#[derive(Clone, Debug)]
pub struct Finish {
    /// The lease of the attempt.
    pub lease: Lease,
    /// Its result.
    pub result: AttemptResult,
    /// What follows for the run.
    pub next: Next,
    /// Set where the workbench refused the key; the key is paused in the same transaction.
    pub refused: Option<KeyRefused>,
    /// The time now.
    pub now: Timestamp,
}

/// A key that a workbench refused.
#[derive(Clone, Debug)]
pub struct KeyRefused {
    /// The key.
    pub what: Pausable,
    /// Tells later whether the key has changed.
    pub mark: Vec<u8>,
    /// Who pauses it, and why.
    pub act: Act,
}

/// What follows a finished attempt.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// The job was started.
    Started {
        /// The workbench's id of the engine.
        engine_id: String,
    },
    /// Another attempt, not before `at`.
    Retry {
        /// The earliest time of the next attempt.
        at: Timestamp,
        /// Why the last attempt did not start the job.
        reason: String,
    },
    /// The run is held until a person decides.
    Hold {
        /// What the person needs to know.
        reason: String,
    },
    /// The run fails and is not tried again.
    Fail {
        /// Why.
        reason: String,
    },
}

/// A person's decision about a held run. A failed run can be queued again too.
#[derive(Clone, Debug, PartialEq)]
pub enum Release {
    /// Queue it again.
    Retry {
        /// The new deadline.
        deadline: Timestamp,
    },
    /// The person saw that the job was started.
    Started {
        /// The engine that the person saw.
        engine_id: String,
    },
    /// Give it up.
    Fail,
}

/// A request to replay a kept delivery by the current routes.
#[derive(Clone, Debug)]
pub struct ReplayRequest {
    /// The kept delivery.
    pub delivery: DeliveryId,
    /// The runs that the current routes ask for.
    pub runs: Vec<NewRun>,
    /// Whether to make a new run also where one was already started, is held or waits.
    pub again: bool,
    /// Who asks, and why.
    pub act: Act,
}

/// What a replay did.
#[derive(Clone, Debug, PartialEq)]
pub struct Replayed {
    /// One entry for each run of the request.
    pub runs: Vec<ReplayedRun>,
}

/// What a replay did about one route.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplayedRun {
    /// The run.
    pub id: RunId,
    /// The route.
    pub route: String,
    /// `new`, `queued again`, `held`, `failed again` or `left as it is`.
    pub what: &'static str,
    /// The run's state now.
    pub state: RunState,
}

/// What erasing a delivery did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Erasure {
    /// Runs that were not sent yet, and are cancelled.
    pub cancelled: Vec<RunId>,
    /// Where bytes of the content may still be, in words; `None` where there are none in the store's files.
    pub left: Option<String>,
}

/// How long and up to which size deliveries are kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Retention {
    /// Deliveries older than this are removed, once none of their runs waits, is being sent or is held.
    pub keep: Duration,
    /// Bytes that the store may use; above it the oldest deliveries are removed first.
    pub max_size: u64,
}

/// What one step of retention did.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RetentionStep {
    /// Deliveries removed.
    pub removed: usize,
    /// Deliveries whose content was removed. They stay, since a repeat of them must still be recognized.
    pub stripped: usize,
    /// True when another step may find more to remove.
    pub more: bool,
    /// Bytes in use afterwards.
    pub bytes: u64,
    /// True when the size is over its bound and nothing more may be removed.
    pub over: bool,
}
