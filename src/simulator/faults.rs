//! What can go wrong, and when.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One way of going wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// The connection is reset before anything is read.
    ResetBeforeRead,
    /// The connection is reset once the request has been read.
    ResetAfterRead,
    /// The run is started and recorded, then the connection is reset.
    StartedAnswerLost,
    /// The request is read and never answered.
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
    /// The run is started; the answer's body is this long.
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
    /// Further headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The run is started all the same.
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
    /// This JSON; `{engine_id}` in it becomes the id of the engine.
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
    /// To starts of this job alone, written `owner/project/id`.
    #[serde(default)]
    pub job: Option<String>,
}

impl Fault {
    /// A reply with this status and a JSON message.
    pub fn status(status: u16) -> Self {
        Self::Reply(Reply {
            status,
            page: Page::Message,
            headers: BTreeMap::new(),
            started_anyway: false,
        })
    }

    /// A reply with this status and content.
    pub fn reply(status: u16, page: Page) -> Self {
        Self::Reply(Reply { status, page, headers: BTreeMap::new(), started_anyway: false })
    }

    /// A workbench that is not available for the moment.
    pub fn busy_503() -> Self {
        Self::status(503)
    }

    /// The same reply with one more header.
    #[must_use]
    pub fn with_header(self, name: &str, value: &str) -> Self {
        match self {
            Self::Reply(mut reply) => {
                reply.headers.insert(name.to_owned(), value.to_owned());
                Self::Reply(reply)
            }
            other => other,
        }
    }
}

impl FaultRule {
    /// Always, to every job.
    pub fn always(fault: Fault) -> Self {
        Self { fault, times: None, probability: None, job: None }
    }

    /// Once, to whichever job comes first.
    pub fn once(fault: Fault) -> Self {
        Self { times: Some(1), ..Self::always(fault) }
    }

    /// Once, to one job, written `owner/project/id`.
    pub fn once_for_job(job: &str, fault: Fault) -> Self {
        Self { job: Some(job.to_owned()), ..Self::once(fault) }
    }
}
