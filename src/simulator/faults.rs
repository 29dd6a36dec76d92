//! What can go wrong, and when. This file holds data only; `answer.rs` and `api.rs` carry the faults out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One kind of fault. All but the first two apply only to start requests that are otherwise valid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// A new connection is reset at once. (To have none accepted at all, close the port.)
    RefuseConnection,
    /// The connection is reset when a request has arrived, before anything of it is read.
    ResetBeforeRead,
    /// The connection is reset once the request has been read.
    ResetAfterRead,
    /// The run is started and recorded, then the connection is reset.
    StartedAnswerLost,
    /// The request is read and never answered; the connection is closed when held replies are released.
    NeverAnswer,
    /// The run is started; its answer is held back until held replies are released.
    HoldAnswer,
    /// The run is started; the answer's head comes this many milliseconds late.
    SlowHead {
        /// How late.
        millis: u64,
    },
    /// The run is started; the answer's body comes one byte at a time.
    Trickle {
        /// Milliseconds between two bytes.
        millis: u64,
    },
    /// The run is started; the answer ends in the middle of a chunk.
    Truncated,
    /// The run is started; the answer's body is this long, and blank.
    HugeBody {
        /// Bytes.
        bytes: u64,
    },
    /// This reply instead of the usual one.
    Reply(Reply),
}

/// A reply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Its content.
    #[serde(default)]
    pub page: Page,
    /// Additional headers. One with the name of a usual header replaces it.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// True where the run is started all the same. It always is where the page names the engine.
    #[serde(default)]
    pub started_anyway: bool,
}

/// The content of a reply.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Page {
    /// A JSON object with a `message`.
    #[default]
    Message,
    /// An HTML page, as a proxy in front sends it.
    Html,
    /// Nothing.
    Empty,
    /// This JSON, or any other text; `{engine_id}` in it becomes the id of the engine.
    Json(String),
    /// The usual answer, in gzip.
    Gzip,
}

/// When a fault happens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// What happens.
    pub fault: Fault,
    /// How many times it happens; every time when left out.
    #[serde(default)]
    pub times: Option<u64>,
    /// The probability that it happens, from 0 to 1; 1 when left out.
    #[serde(default)]
    pub probability: Option<f64>,
    /// Only to starts of this job, written `owner/project/id`. A connection that has sent nothing yet
    /// belongs to no job.
    #[serde(default)]
    pub job: Option<String>,
    /// Milliseconds between the request and the fault. Where a run is started, it is started before this
    /// delay.
    #[serde(default)]
    pub delay_millis: Option<u64>,
}

/// The moment of a connection at which a fault is looked up.
#[derive(Clone, Copy, Debug)]
pub(super) enum Moment<'a> {
    /// It was accepted.
    Accepted,
    /// A request has arrived and is not read; for this job, as far as can be seen.
    Arrived(Option<&'a str>),
    /// A start of this job has been read and is in order.
    Read(&'a str),
}

impl Reply {
    fn new(status: u16, page: Page) -> Self {
        Self { status, page, headers: BTreeMap::new(), started_anyway: false }
    }

    /// A reply that is this JSON.
    pub(super) fn json(status: u16, json: &serde_json::Value) -> Self {
        Self::new(status, Page::Json(json.to_string()))
    }

    /// Whether the run is started: the rule says so, or the page names the engine.
    pub(super) fn starts(&self) -> bool {
        let names_engine = match &self.page {
            Page::Gzip => true,
            Page::Json(text) => text.contains("{engine_id}"),
            Page::Message | Page::Html | Page::Empty => false,
        };
        self.started_anyway || names_engine
    }
}

impl Fault {
    /// A reply with this status and a JSON message.
    pub fn status(status: u16) -> Self {
        Self::reply(status, Page::Message)
    }

    /// A reply with this status and content.
    pub fn reply(status: u16, page: Page) -> Self {
        Self::Reply(Reply::new(status, page))
    }

    /// A workbench that is not available for the moment.
    pub fn busy_503() -> Self {
        Self::status(503)
    }

    /// The refusal of a second run of a job that is running.
    pub fn already_active(job: u64) -> Self {
        let message = format!("job run for job {job} already active");
        Self::Reply(Reply::json(400, &serde_json::json!({ "message": message, "code": 9 })))
    }

    /// The 200 that stands for a run which will never execute.
    pub fn skipped() -> Self {
        Self::Reply(Reply::json(200, &serde_json::json!({ "status": "ENGINE_SKIPPED" })))
    }

    /// Adds a header to a reply. Other faults stay as they are.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        if let Self::Reply(reply) = &mut self {
            reply.headers.insert(name.to_owned(), value.to_owned());
        }
        self
    }

    /// Makes a reply start the run all the same. Other faults stay as they are.
    #[must_use]
    pub fn with_run_started(mut self) -> Self {
        if let Self::Reply(reply) = &mut self {
            reply.started_anyway = true;
        }
        self
    }

    /// Its name in the log and in the control API.
    pub fn name(&self) -> &'static str {
        match self {
            Self::RefuseConnection => "refuse_connection",
            Self::ResetBeforeRead => "reset_before_read",
            Self::ResetAfterRead => "reset_after_read",
            Self::StartedAnswerLost => "started_answer_lost",
            Self::NeverAnswer => "never_answer",
            Self::HoldAnswer => "hold_answer",
            Self::SlowHead { .. } => "slow_head",
            Self::Trickle { .. } => "trickle",
            Self::Truncated => "truncated",
            Self::HugeBody { .. } => "huge_body",
            Self::Reply(_) => "reply",
        }
    }

    /// Whether a start with this fault starts a run.
    pub(super) fn starts(&self) -> bool {
        match self {
            Self::RefuseConnection
            | Self::ResetBeforeRead
            | Self::ResetAfterRead
            | Self::NeverAnswer => false,
            Self::Reply(reply) => reply.starts(),
            Self::StartedAnswerLost
            | Self::HoldAnswer
            | Self::SlowHead { .. }
            | Self::Trickle { .. }
            | Self::Truncated
            | Self::HugeBody { .. } => true,
        }
    }

    /// The status that the client is answered; none where it gets no answer.
    pub(super) fn answers(&self) -> Option<u16> {
        match self {
            Self::RefuseConnection
            | Self::ResetBeforeRead
            | Self::ResetAfterRead
            | Self::StartedAnswerLost
            | Self::NeverAnswer => None,
            Self::Reply(reply) => Some(reply.status),
            Self::HoldAnswer
            | Self::SlowHead { .. }
            | Self::Trickle { .. }
            | Self::Truncated
            | Self::HugeBody { .. } => Some(200),
        }
    }
}

impl FaultRule {
    /// Happens every time, to every job.
    pub fn always(fault: Fault) -> Self {
        Self { fault, times: None, probability: None, job: None, delay_millis: None }
    }

    /// Happens once, to whichever job comes first.
    pub fn once(fault: Fault) -> Self {
        Self { times: Some(1), ..Self::always(fault) }
    }

    /// Happens once, to one job, written `owner/project/id`.
    pub fn once_for_job(job: &str, fault: Fault) -> Self {
        Self { job: Some(job.to_owned()), ..Self::once(fault) }
    }

    /// Why the rule could never do what it says; none where it can.
    pub(super) fn problem(&self) -> Option<String> {
        if self.probability.is_some_and(|likely| !(0.0..=1.0).contains(&likely)) {
            return Some("probability is not between 0 and 1".to_owned());
        }
        let job = self.job.as_deref()?;
        if self.fault == Fault::RefuseConnection {
            return Some("refuse_connection cannot be for one job; leave job out".to_owned());
        }
        let pieces: Vec<&str> = job.split('/').collect();
        let whole = matches!(pieces.as_slice(), [_, _, id] if id.parse::<u64>().is_ok());
        (!whole).then(|| format!("`{job}` is not a job; write it as owner/project/id"))
    }

    /// Whether it is for this moment. Its probability and its number of times are not considered here.
    pub(super) fn fits(&self, moment: Moment<'_>) -> bool {
        let is_for = |job: Option<&str>| self.job.is_none() || self.job.as_deref() == job;
        match (&self.fault, moment) {
            (Fault::RefuseConnection, Moment::Accepted) => is_for(None),
            (Fault::ResetBeforeRead, Moment::Arrived(job)) => is_for(job),
            (Fault::RefuseConnection | Fault::ResetBeforeRead, _) => false,
            (_, Moment::Read(job)) => is_for(Some(job)),
            (_, Moment::Accepted | Moment::Arrived(_)) => false,
        }
    }
}
