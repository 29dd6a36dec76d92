//! What the store gives for people to look at: plain data, shared by both stores. The admin API decides how
//! it is shown (`crate::admin::views`).

use bytes::Bytes;
use jiff::Timestamp;

use super::acts::{Act, Pausable};
use crate::model::{DeliveryId, Environment, Outcome, RunId, RunState};

/// Most bytes of a body that are read, where nothing else is said.
pub const MOST_BODY: u64 = 64 << 20;

/// How much of a delivery is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// All but its body.
    WithoutBody,
    /// All of it.
    Whole {
        /// Most bytes of a body; a delivery with a larger one cannot be read.
        most_body: u64,
    },
}

/// A kept delivery with its content and runs.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// What a list shows of it.
    pub summary: DeliverySummary,
    /// Its headers, without those that carry a secret.
    pub headers: Vec<(String, String)>,
    /// Its query string.
    pub query: String,
    /// Its body, byte for byte; empty where it was not read.
    pub body: Bytes,
    /// The claims of the sender's token, as JSON; `None` where there was no token.
    pub claims: Option<String>,
    /// The explanation, as JSON.
    pub explanation: Vec<u8>,
    /// Its runs.
    pub runs: Vec<Run>,
}

/// A kept delivery, as a list shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct DeliverySummary {
    /// Its id.
    pub id: DeliveryId,
    /// The source that received it.
    pub source: String,
    /// The source's provider.
    pub provider: String,
    /// What kind of event it is.
    pub kind: String,
    /// The sender's own name of the event, where it differs from the kind.
    pub name: Option<String>,
    /// Identifies the delivery within its source; repeats have the same key.
    pub key: String,
    /// True for a handshake.
    pub handshake: bool,
    /// When it was received.
    pub received_at: Timestamp,
    /// Address of the sender.
    pub remote: Option<String>,
    /// Size of its body in bytes.
    pub size: u64,
    /// How many repeats of it were received.
    pub repeats: u64,
    /// When the last of them was received.
    pub repeated_at: Option<Timestamp>,
    /// The delivery to which the sender gave the same id, with other content.
    pub same_id_as: Option<DeliveryId>,
    /// True when its content was removed, to keep the size bound or by a person.
    pub stripped: bool,
    /// Set where a person had its content erased.
    pub erased: Option<Erased>,
    /// Its runs, as a list shows them.
    pub runs: Vec<RunBrief>,
}

/// Who had the content of a delivery erased, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erased {
    /// When.
    pub at: Timestamp,
    /// The name of the token that was used.
    pub by: String,
}

/// A run, as a list shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct RunBrief {
    /// Its id.
    pub id: RunId,
    /// Its delivery.
    pub delivery: DeliveryId,
    /// Its route.
    pub route: String,
    /// Its job.
    pub job: String,
    /// Which event of the delivery it stands for.
    pub part: u32,
    /// Its state.
    pub state: RunState,
    /// Why it is in this state, where there is something to say.
    pub reason: Option<String>,
    /// The workbench's id of the engine, once started.
    pub engine_id: Option<String>,
    /// How many attempts there were.
    pub attempts: u32,
    /// When its delivery was accepted.
    pub accepted_at: Timestamp,
    /// When it last changed.
    pub changed_at: Timestamp,
    /// When it is next due, while queued.
    pub due_at: Timestamp,
    /// After this moment it is no longer worth starting.
    pub deadline: Timestamp,
    /// How many runs it stands for, itself included.
    pub stands_for: u32,
    /// The newer run that superseded it and stands for it, if any.
    pub superseded_by: Option<RunId>,
}

/// A run with its variables, attempts and acts.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// What a list shows of it.
    pub brief: RunBrief,
    /// Its variables; none when its mapping failed.
    pub environment: Option<Environment>,
    /// Every attempt.
    pub tries: Vec<Attempt>,
    /// What people did with it, each with the name of the act.
    pub acts: Vec<(String, Act)>,
}

/// One attempt, as kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// Counted from 1.
    pub number: u32,
    /// When it was begun.
    pub begun_at: Timestamp,
    /// Its outcome; `None` while it is in flight.
    pub outcome: Option<Outcome>,
    /// HTTP status of the reply.
    pub status: Option<u16>,
    /// What happened, for people.
    pub reason: Option<String>,
    /// The start of the reply.
    pub reply: Option<String>,
    /// Milliseconds from sending the request to its outcome.
    pub took_ms: Option<u64>,
}

/// A pause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    /// What is paused.
    pub what: Pausable,
    /// Since when.
    pub since: Timestamp,
    /// Who paused it.
    pub who: String,
    /// Why.
    pub note: Option<String>,
    /// For a refused key: tells whether the key has changed.
    pub mark: Option<Vec<u8>>,
}

/// An entry of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audited {
    /// Its number in the log, in ascending order.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// The name of the token that was used.
    pub who: String,
    /// The address of the request.
    pub origin: Option<String>,
    /// What was done.
    pub act: String,
    /// What kind of thing it was done to.
    pub kind: String,
    /// The name of that thing.
    pub name: String,
    /// The reason that was given.
    pub note: Option<String>,
}

/// Which deliveries to list.
#[derive(Clone, Debug, Default)]
pub struct DeliveryFilter {
    /// Of this source only.
    pub source: Option<String>,
    /// Older than this one.
    pub before: Option<DeliveryId>,
    /// At most this many.
    pub limit: usize,
}

/// Which runs to list.
#[derive(Clone, Debug, Default)]
pub struct RunFilter {
    /// In this state only.
    pub state: Option<RunState>,
    /// Of this job only.
    pub job: Option<String>,
    /// Older than this one.
    pub before: Option<RunId>,
    /// At most this many.
    pub limit: usize,
}

/// The runs of one job in one state that is not final.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueRow {
    /// The job.
    pub job: String,
    /// `waiting`, `queued`, `sending` or `held`.
    pub state: RunState,
    /// How many.
    pub runs: u64,
    /// When the oldest of them was accepted.
    pub oldest: Timestamp,
}

/// A backlog that is being released at a pace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BacklogRow {
    /// The job.
    pub job: String,
    /// How many runs it had when its release began.
    pub size: u64,
    /// How many of them are still queued.
    pub left: u64,
    /// When its release began; `None` where an older version of the program began it.
    pub since: Option<Timestamp>,
}

/// What has not ended, by job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Queue {
    /// One row for each job and state, the largest first; at most 1,000.
    pub rows: Vec<QueueRow>,
    /// The backlogs, by job; at most 1,000.
    pub backlogs: Vec<BacklogRow>,
}

/// The runs of a job that failed lately.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failures {
    /// The job.
    pub job: String,
    /// How many.
    pub runs: u64,
    /// When the first of them failed.
    pub first: Timestamp,
    /// When the last of them failed.
    pub last: Timestamp,
}

/// How many of the newest deliveries, and of the newest runs, are looked at for what happened lately.
pub const LATELY_ROWS: u64 = 5_000;

/// The deliveries of a source, among the newest ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceLately {
    /// The source.
    pub source: String,
    /// How many were received since the moment that was asked for.
    pub deliveries: u64,
    /// When the last one was received, also where that is before that moment.
    pub last: Timestamp,
}

/// The runs of a route and job that are in one state, among the newest ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunsLately {
    /// The route.
    pub route: String,
    /// The job.
    pub job: String,
    /// Their state.
    pub state: RunState,
    /// How many were accepted since the moment that was asked for.
    pub runs: u64,
    /// When the last one was accepted, also where that is before that moment.
    pub accepted: Timestamp,
    /// When one of them last changed. A started run changes no more, so it is the time of the last start.
    pub changed: Timestamp,
}

/// What happened lately.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lately {
    /// By source.
    pub sources: Vec<SourceLately>,
    /// How far back those reach; `None` where no delivery that is kept is older.
    pub deliveries_since: Option<Timestamp>,
    /// By route, job and state.
    pub runs: Vec<RunsLately>,
    /// How far back those reach; `None` where no run that is kept is older.
    pub runs_since: Option<Timestamp>,
}

/// The last version without faults of a file of `routes.d/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteFile {
    /// The file's name, as the configuration shows it.
    pub name: String,
    /// Its text.
    pub text: String,
    /// When a process first had this version in force.
    pub kept_at: Timestamp,
}

/// How many runs are in each state that is not final.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Runs that wait for a newer run to take their place (`latest_per`).
    pub waiting: u64,
    /// Queued runs.
    pub queued: u64,
    /// Runs whose attempt is in flight.
    pub sending: u64,
    /// Runs that wait for a person.
    pub held: u64,
    /// When the oldest queued run was accepted, in milliseconds since 1970.
    pub oldest_queued_ms: Option<i64>,
    /// When the oldest held run was accepted, in milliseconds since 1970.
    pub oldest_held_ms: Option<i64>,
}
