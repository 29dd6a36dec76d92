//! What can go wrong, and when. Data only: how each fault is done is not said here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One way of going wrong. All but the first two befall start requests that are otherwise in order.
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
    /// The request is read and never answered; the connection is closed when held replies are let
    /// go.
    NeverAnswer,
    /// The run is started; its answer is held back until it is let go.
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
    /// The run is started; the answer's body is this long, and says nothing.
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
    /// What is in it.
    #[serde(default)]
    pub page: Page,
    /// Further headers, or others in the place of the usual ones.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The run is started all the same. A page that names the engine always starts one.
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
    /// So many times; always when left out.
    #[serde(default)]
    pub times: Option<u64>,
    /// With this probability, from 0 to 1; always when left out.
    #[serde(default)]
    pub probability: Option<f64>,
    /// To starts of this job alone, written `owner/project/id`. A connection that has not said
    /// anything yet belongs to no job.
    #[serde(default)]
    pub job: Option<String>,
    /// So many milliseconds after the request came. A run that is started is so before that.
    #[serde(default)]
    pub delay_millis: Option<u64>,
}

/// How far a connection has come when it is asked what goes wrong.
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

    /// Whether it comes with a run: it was told so, or it names the engine.
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

    /// The same reply with one more header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        if let Self::Reply(reply) = &mut self {
            reply.headers.insert(name.to_owned(), value.to_owned());
        }
        self
    }

    /// The same reply, with the work done.
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

    /// Whether a start that it befalls is started.
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
    /// Always, to every job.
    pub fn always(fault: Fault) -> Self {
        Self { fault, times: None, probability: None, job: None, delay_millis: None }
    }

    /// Once, to whichever job comes first.
    pub fn once(fault: Fault) -> Self {
        Self { times: Some(1), ..Self::always(fault) }
    }

    /// Once, to one job, written `owner/project/id`.
    pub fn once_for_job(job: &str, fault: Fault) -> Self {
        Self { job: Some(job.to_owned()), ..Self::once(fault) }
    }

    /// What is wrong with it, if it could never do what it says.
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

    /// Whether it is for this moment, apart from random and from how often it has been used.
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
