//! What the configuration in force has: jobs, routes, sources, API keys, workbenches, each with its state now and
//! what happened lately. No secret, and nothing of a payload.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{BreakerView, PauseView, SecretView};
use crate::model::RunState;

/// How far what happened lately is known. Only the newest deliveries and runs are looked at, so that a list costs the
/// same however many are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatelyView {
    /// Since when is counted: a day ago.
    pub since: Timestamp,
    /// Set where older ones were not looked at: what was before that moment is neither counted nor shown.
    #[serde(default)]
    pub reaches_back_to: Option<Timestamp>,
}

/// The run of a job that last came to something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastRun {
    /// `started`, `failed` or `held`.
    pub state: RunState,
    /// When.
    pub at: Timestamp,
}

/// `GET /api/jobs`
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JobsView {
    /// How far back `last_start` and `last` are known.
    pub lately: LatelyView,
    /// By name.
    pub jobs: Vec<JobView>,
}

/// A job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobView {
    /// Its name.
    pub name: String,
    /// What it is, as the configuration describes it.
    #[serde(default)]
    pub description: Option<String>,
    /// Its workbench.
    pub workbench: String,
    /// Where it is there: project and job.
    pub target: String,
    /// The API key that starts it, as `workbench/key`.
    pub api_key: String,
    /// The routes that lead to it.
    pub routes: Vec<String>,
    /// What its starts wait for, in words; none where nothing is in their way.
    #[serde(default)]
    pub waits_for: Option<String>,
    /// Runs that wait for a newer one to take their place.
    pub waiting: u64,
    /// Queued runs.
    pub queued: u64,
    /// Runs whose start request is in flight.
    pub sending: u64,
    /// Runs that wait for a person.
    pub held: u64,
    /// Runs that failed within the last day and are still failed.
    pub failed_lately: u64,
    /// When it was last started.
    #[serde(default)]
    pub last_start: Option<Timestamp>,
    /// What the last run came to that was started, failed or held.
    #[serde(default)]
    pub last: Option<LastRun>,
    /// Start requests that may be in flight at once.
    pub starts_at_once: u32,
    /// The largest number of starts in a minute.
    #[serde(default)]
    pub starts_per_minute: Option<u32>,
    /// The largest number of runs in an hour; further ones are held.
    #[serde(default)]
    pub starts_per_hour: Option<u32>,
}

/// `GET /api/routes`
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RoutesView {
    /// What `runs` counts, and how far back `last_matched` is known.
    pub lately: LatelyView,
    /// By name.
    pub routes: Vec<RouteInForce>,
}

/// A route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteInForce {
    /// Its name.
    pub name: String,
    /// What it is, as the configuration describes it.
    #[serde(default)]
    pub description: Option<String>,
    /// The sources that it listens to.
    pub sources: Vec<String>,
    /// The job that it starts.
    pub job: String,
    /// The file that it is written in.
    pub file: String,
    /// The line there, counted from 1.
    pub line: usize,
    /// What its runs wait for, in words; none where nothing is in their way.
    #[serde(default)]
    pub waits_for: Option<String>,
    /// Runs that it asked for within the last day.
    pub runs: u64,
    /// When it last asked for one.
    #[serde(default)]
    pub last_matched: Option<Timestamp>,
}

/// `GET /api/sources`
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SourcesView {
    /// What `deliveries` counts, and how far back `last_delivery` is known.
    pub lately: LatelyView,
    /// Since when this process counts refusals and uses of secrets. Other processes count their own.
    pub process_since: Timestamp,
    /// By name.
    pub sources: Vec<SourceView>,
}

/// A source.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SourceView {
    /// Its name.
    pub name: String,
    /// Its provider.
    pub provider: String,
    /// The path of its address on the listener for webhooks.
    pub path: String,
    /// The routes that listen to it.
    pub routes: Vec<String>,
    /// Deliveries that were kept within the last day.
    pub deliveries: u64,
    /// When the last one was kept.
    #[serde(default)]
    pub last_delivery: Option<Timestamp>,
    /// The last request that this process refused.
    #[serde(default)]
    pub last_refusal: Option<LastRefusal>,
    /// Its secrets, with how often each verified a delivery for this process. Never their values.
    pub secrets: Vec<SecretView>,
}

/// The last request of a source that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastRefusal {
    /// When.
    pub at: Timestamp,
    /// HTTP status that it was answered with.
    pub status: u16,
    /// The reason, as in the metric.
    pub reason: String,
}

/// `GET /api/keys`
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeysView {
    /// How far back `last_accepted` is known.
    pub lately: LatelyView,
    /// By name.
    pub keys: Vec<KeyView>,
}

/// An API key, by its name; never the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyView {
    /// Its name, as `workbench/key`.
    pub name: String,
    /// Its workbench.
    pub workbench: String,
    /// The jobs that it starts.
    pub jobs: Vec<String>,
    /// Since when, by whom and why it is paused; none where it is not.
    #[serde(default)]
    pub paused: Option<PauseView>,
    /// When a job was last started with it.
    #[serde(default)]
    pub last_accepted: Option<Timestamp>,
    /// When the workbench last refused it, as far as the newest thousand entries of the audit log tell.
    #[serde(default)]
    pub last_refused: Option<Timestamp>,
}

/// `GET /api/workbenches`
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WorkbenchesView {
    /// How far back `last_start` is known.
    pub lately: LatelyView,
    /// By name.
    pub workbenches: Vec<WorkbenchView>,
}

/// A workbench.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkbenchView {
    /// Its name.
    pub name: String,
    /// Its address: scheme, host and port.
    pub url: String,
    /// The jobs on it.
    pub jobs: Vec<String>,
    /// Its circuit breaker; none where it is closed.
    #[serde(default)]
    pub circuit_breaker: Option<BreakerView>,
    /// Which of its API keys are paused.
    pub paused_keys: Vec<PauseView>,
    /// When a job was last started on it.
    #[serde(default)]
    pub last_start: Option<Timestamp>,
    /// What the last run came to that was started, failed or held.
    #[serde(default)]
    pub last: Option<LastRun>,
}
