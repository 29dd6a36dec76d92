//! Runs and their attempts.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{DeliveryId, Environment, Outcome, RunId, RunState};
use crate::store;

/// `GET /api/runs`
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Runs {
    /// Newest first.
    pub runs: Vec<RunSummary>,
    /// Where there are more: the id to give as `before` for the next ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<RunId>,
}

/// A run, as a list shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunSummary {
    /// Its id.
    pub id: RunId,
    /// Its delivery.
    pub delivery: DeliveryId,
    /// Its route.
    pub route: String,
    /// Its job.
    pub job: String,
    /// Which event of the delivery it stands for, counted from 0.
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
    /// When it is next due, while queued or waiting.
    pub due_at: Timestamp,
    /// It is not started after this moment.
    pub deadline: Timestamp,
    /// How many runs it stands for: itself and the older runs whose place it took.
    pub stands_for: u32,
    /// The run that stands for it, where a newer one took its place.
    pub superseded_by: Option<RunId>,
    /// What it waits for: something that is paused, an open circuit breaker, a limit of starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<String>,
}

/// `GET /api/runs/{id}`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunView {
    /// What a list shows of it.
    #[serde(flatten)]
    pub summary: RunSummary,
    /// Its variables; none when its mapping failed.
    pub environment: Option<Environment>,
    /// Every attempt, oldest first.
    pub tries: Vec<AttemptView>,
    /// What people did with it: the name of each act, and who did it when.
    pub acts: Vec<(String, ActView)>,
}

/// One attempt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttemptView {
    /// Counted from 1.
    pub number: u32,
    /// When it was begun.
    pub begun_at: Timestamp,
    /// Its outcome; none while the request is in flight.
    pub outcome: Option<Outcome>,
    /// HTTP status of the reply.
    pub status: Option<u16>,
    /// What happened, in words.
    pub reason: Option<String>,
    /// The start of the reply.
    pub reply: Option<String>,
    /// Milliseconds from sending the request to knowing the outcome.
    pub took_ms: Option<u64>,
}

/// Who did something, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActView {
    /// The name of the token that was used.
    pub who: String,
    /// When.
    pub at: Timestamp,
    /// The address that it came from; none for what the gateway does by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// The note that came with it.
    pub note: Option<String>,
}

/// `POST /api/runs/{id}/release`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleaseAsk {
    /// What to do with it.
    #[serde(rename = "do")]
    pub what: ReleaseWord,
    /// The engine that was seen on the workbench, for `started`.
    #[serde(default)]
    pub engine_id: Option<String>,
    /// A note, kept with the act.
    #[serde(default)]
    pub note: Option<String>,
}

/// A person's decision on a held run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReleaseWord {
    /// It was not started: try again.
    Retry,
    /// The workbench shows that it was started.
    Started,
    /// Give it up: it becomes failed.
    Fail,
}

impl From<store::RunBrief> for RunSummary {
    fn from(run: store::RunBrief) -> Self {
        Self {
            id: run.id,
            delivery: run.delivery,
            route: run.route,
            job: run.job,
            part: run.part,
            state: run.state,
            reason: run.reason,
            engine_id: run.engine_id,
            attempts: run.attempts,
            accepted_at: run.accepted_at,
            changed_at: run.changed_at,
            due_at: run.due_at,
            deadline: run.deadline,
            stands_for: run.stands_for,
            superseded_by: run.superseded_by,
            waits_for: None,
        }
    }
}

impl From<store::Run> for RunView {
    fn from(run: store::Run) -> Self {
        Self {
            summary: run.brief.into(),
            environment: run.environment,
            tries: run.tries.into_iter().map(AttemptView::from).collect(),
            acts: run.acts.into_iter().map(|(what, act)| (what, act.into())).collect(),
        }
    }
}

impl From<store::Attempt> for AttemptView {
    fn from(attempt: store::Attempt) -> Self {
        Self {
            number: attempt.number,
            begun_at: attempt.begun_at,
            outcome: attempt.outcome,
            status: attempt.status,
            reason: attempt.reason,
            reply: attempt.reply,
            took_ms: attempt.took_ms,
        }
    }
}

impl From<store::Act> for ActView {
    fn from(act: store::Act) -> Self {
        Self { who: act.who, at: act.at, origin: act.origin, note: act.note }
    }
}
