//! What goes into the store, and what is taken from its queue: plain data, the same for every store.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serializer;

use super::records::RunBrief;
use crate::model::{AttemptResult, DeliveryId, Environment, Latest, RunId, RunState};

/// A delivery to keep. It holds no secret: headers that carry one were left out before.
#[derive(Clone, Debug)]
pub struct NewDelivery {
    /// Its name from now on.
    pub id: DeliveryId,
    /// The source that it came in by.
    pub source: Arc<str>,
    /// The source's provider.
    pub provider: Arc<str>,
    /// What kind of event it is, provider-neutral.
    pub kind: Arc<str>,
    /// The sender's own word for the kind, where it differs.
    pub name: Option<Arc<str>>,
    /// What names it at the sender's side; repeats share it.
    pub key: Arc<str>,
    /// True for a handshake, which starts nothing.
    pub handshake: bool,
    /// When it was received.
    pub received_at: Timestamp,
    /// Address that it came from.
    pub remote: Option<String>,
    /// Its headers, in the order received.
    pub headers: KeptHeaders,
    /// Its query string, as received.
    pub query: String,
    /// Its body, byte for byte.
    pub body: Bytes,
    /// What its sender's token claimed, as JSON; none where there was no token.
    pub claims: Option<String>,
    /// The explanation (which routes matched, which did not and on what test), as JSON.
    pub explanation: Vec<u8>,
    /// The runs that it asks for.
    pub runs: Vec<NewRun>,
}

/// Headers in the form that they are kept in: pairs of name and text, as JSON.
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
        // Texts can always be written, and memory takes them.
        let _ = serde_json::Serializer::new(&mut json).collect_seq(pairs);
        Self(json)
    }
}

/// A run to keep with its delivery.
#[derive(Clone, Debug)]
pub struct NewRun {
    /// Its name from now on.
    pub id: RunId,
    /// The route that asks for it.
    pub route: Arc<str>,
    /// The job to start.
    pub job: Arc<str>,
    /// Which event of the delivery it stands for, counted from 0.
    pub part: u32,
    /// What it starts its life as.
    pub state: NewRunState,
    /// After this moment it is no longer worth starting.
    pub deadline: Timestamp,
    /// Set where only the newest run of its kind is to be sent.
    pub latest: Option<Latest>,
}

/// How a run starts its life.
#[derive(Clone, Debug)]
pub enum NewRunState {
    /// To be sent.
    Queued(Environment),
    /// To be looked at by a person first.
    Held(Environment, String),
    /// Its mapping failed; the reason says how.
    Failed(String),
}

/// What became of an offered delivery.
#[derive(Clone, Debug, PartialEq)]
pub enum Accepted {
    /// It and its runs are on disk.
    Kept,
    /// It had been kept before.
    Repeat {
        /// The first one's name.
        delivery: DeliveryId,
        /// The first one's runs as they stand now.
        runs: Vec<RunBrief>,
        /// Those that had failed and are queued again.
        requeued: Vec<RunId>,
    },
}

/// How many runs of a job may be taken now.
#[derive(Clone, Debug)]
pub struct Permit {
    /// The job.
    pub job: Arc<str>,
    /// At most this many.
    pub count: usize,
    /// Starts of the job that may be on the wire at once, of all processes that share the store.
    pub at_once: usize,
    /// The API key that it is started with, as `workbench/key`.
    pub key: Option<Arc<str>>,
    /// What the configuration says that is started: the job's name and a digest, with a space between.
    pub declared: Arc<str>,
    /// How long a request to its workbench can take, with a margin.
    pub lease: Duration,
    /// Starts in any minute.
    pub per_minute: Option<u32>,
    /// Runs in any hour; more are held for a person.
    pub per_hour: Option<u32>,
    /// Starts in any minute while a backlog is let go.
    pub backlog_per_minute: u32,
    /// Of all permits with the same word, one run may be taken in all.
    pub trial: Option<Arc<str>>,
}

impl Permit {
    /// Whether a configuration allows this very job, given all that it allows.
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
}

/// Work that was taken.
#[derive(Debug, Default)]
pub struct Leased {
    /// One begun attempt each.
    pub leases: Vec<Lease>,
    /// When there is something to look at again at the latest, if it is not due yet.
    pub next_due: Option<Timestamp>,
    /// Jobs whose brake held runs, and how many.
    pub held: Vec<(Arc<str>, usize)>,
    /// Jobs of which no more may be started for now, since there were so many starts in the last minute,
    /// and when one may be again.
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
    /// Which attempt this is, counted from 1. It fences: only the latest can be settled.
    pub attempt: u32,
    /// When the attempt was begun, by the clock that the store judges leases by.
    pub begun_at: Timestamp,
    /// When it was asked for, by the clock of whoever asked.
    pub asked_at: Timestamp,
    /// When its delivery was accepted.
    pub accepted_at: Timestamp,
    /// After this moment the run is no longer worth starting.
    pub deadline: Timestamp,
    /// True for the one start that is let through to see whether a resting workbench is back.
    pub trial: bool,
}

/// What an attempt came to, to be recorded.
#[derive(Clone, Debug)]
pub struct Finish {
    /// The right to say so.
    pub lease: Lease,
    /// What it came to.
    pub result: AttemptResult,
    /// What follows.
    pub next: Next,
    /// Set where the workbench refused the key, which rests from the same moment on.
    pub refused: Option<KeyRefused>,
    /// When.
    pub now: Timestamp,
}

/// A key that a workbench refused.
#[derive(Clone, Debug)]
pub struct KeyRefused {
    /// The key.
    pub what: Pausable,
    /// Tells whether it is still the same one.
    pub mark: Vec<u8>,
    /// In whose name it rests.
    pub act: Act,
}

/// What follows a finished attempt.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// It runs.
    Started {
        /// The workbench's id of the engine.
        engine_id: String,
    },
    /// Another try, not before `at`.
    Retry {
        /// When.
        at: Timestamp,
        /// What the last attempt met.
        reason: String,
    },
    /// A person must say.
    Hold {
        /// What the person needs to know.
        reason: String,
    },
    /// It will not be started.
    Fail {
        /// Why.
        reason: String,
    },
}

/// A person's word on a held run.
#[derive(Clone, Debug, PartialEq)]
pub enum Release {
    /// Try again.
    Retry {
        /// The new deadline.
        deadline: Timestamp,
    },
    /// It was seen to have started.
    Started {
        /// The engine that the person saw.
        engine_id: String,
    },
    /// It is to be given up.
    Fail,
}

/// Who did something, and when.
#[derive(Clone, Debug, PartialEq)]
pub struct Act {
    /// The name of the token that was used.
    pub who: String,
    /// When.
    pub at: Timestamp,
    /// The address that it came from; none for what the gateway does by itself.
    pub origin: Option<String>,
    /// What they had to say about it.
    pub note: Option<String>,
}

/// A delivery's runs as today's routes would have them.
#[derive(Clone, Debug)]
pub struct ReplayRequest {
    /// The kept delivery.
    pub delivery: DeliveryId,
    /// What today's routes ask for.
    pub runs: Vec<NewRun>,
    /// Start also what was already started, is held or waits.
    pub again: bool,
    /// Who asks.
    pub act: Act,
}

/// What a replay did.
#[derive(Clone, Debug, PartialEq)]
pub struct Replayed {
    /// Run by run.
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
    /// Where the run stands now.
    pub state: RunState,
}

/// Something that can rest until somebody lets it go on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Pausable {
    /// Every start.
    All,
    /// The starts of one job.
    Job(String),
    /// The runs of one route.
    Route(String),
    /// The starts with one API key, as `workbench/key`.
    Key(String),
}

impl Pausable {
    /// The word used in SQL, logs and on screens.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Job(_) => "job",
            Self::Route(_) => "route",
            Self::Key(_) => "key",
        }
    }

    /// Its name; empty for everything.
    pub fn name(&self) -> &str {
        match self {
            Self::All => "",
            Self::Job(name) | Self::Route(name) | Self::Key(name) => name,
        }
    }
}

impl fmt::Display for Pausable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("every start"),
            Self::Job(name) => write!(f, "job {name}"),
            Self::Route(name) => write!(f, "route {name}"),
            Self::Key(name) => write!(f, "API key {name}"),
        }
    }
}

/// What is kept, and for how long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Retention {
    /// Deliveries older than this go, once none of their runs waits or is held.
    pub keep: Duration,
    /// Bytes that the store may use; above it the oldest deliveries go first.
    pub max_size: u64,
}

/// What one step of tidying did.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RetentionStep {
    /// Deliveries removed.
    pub removed: usize,
    /// Deliveries whose content was given up, since they are too young to be forgotten.
    pub stripped: usize,
    /// True when there may be more to remove at once.
    pub more: bool,
    /// Bytes in use afterwards.
    pub bytes: u64,
    /// True when the size is over its bound and nothing more may be removed.
    pub over: bool,
}
