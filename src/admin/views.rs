//! What the API says, as types that the command line reads too.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::dispatch::Resting;
use crate::matching::Explanation;
use crate::model::{DeliveryId, Environment, RunId, RunState};
use crate::receive::Refused;
use crate::store::{Audited, DeliverySummary, Pausable, Pause, Run, RunBrief};

/// `GET /api/deliveries`
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Deliveries {
    /// Newest first.
    pub deliveries: Vec<DeliverySummary>,
}

/// `GET /api/deliveries/{id}`
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeliveryView {
    /// What a list shows of it.
    #[serde(flatten)]
    pub summary: DeliverySummary,
    /// Its headers, without those that carry a secret.
    pub headers: Vec<(String, String)>,
    /// Its query string.
    pub query: String,
    /// Why each route did or did not match, as judged when it was received.
    pub explanation: Explanation,
    /// Its runs, whole.
    pub details: Vec<Run>,
}

/// `GET /api/runs`
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Runs {
    /// Newest first.
    pub runs: Vec<RunBrief>,
}

/// `GET /api/refusals/{source}`
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RefusalsView {
    /// Newest first.
    pub refusals: Vec<Refused<String>>,
}

/// `GET /api/secrets`: which secrets proved deliveries, so that the old one of a rotation can be
/// dropped once nobody uses it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SecretsView {
    /// When counting began: at the gateway's start.
    pub since: Timestamp,
    /// By source, in the order of the configuration.
    pub secrets: Vec<SecretView>,
}

/// How often a secret proved a delivery.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SecretView {
    /// The source.
    pub source: String,
    /// The key of the source that it stands under: `secrets` or `access_token`.
    pub key: String,
    /// Its place in the source's list, counted from 0, as in the metric `secret_matches`.
    pub place: usize,
    /// Where it is kept; never what it is.
    pub reference: String,
    /// Deliveries that it proved.
    pub deliveries: u64,
    /// The last of them.
    #[serde(default)]
    pub last: Option<Timestamp>,
}

/// `GET /api/deliveries/{id}/explain`: what today's routes would do with a kept delivery.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExplainView {
    /// The delivery.
    pub delivery: DeliveryId,
    /// Why each route does or does not match.
    pub explanation: Explanation,
    /// The runs that would be asked for.
    pub runs: Vec<WouldRun>,
}

/// A run that would be asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WouldRun {
    /// The route.
    pub route: String,
    /// The job.
    pub job: String,
    /// Which event of the delivery.
    pub part: u32,
    /// The variables, where they could be made.
    #[serde(default)]
    pub environment: Option<Environment>,
    /// Why it would be held or fail.
    #[serde(default)]
    pub reason: Option<String>,
    /// The run that there is already; a replay without `again` starts no other.
    #[serde(default)]
    pub kept: Option<KeptRun>,
}

/// A run that a delivery has already.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeptRun {
    /// Its name.
    pub id: RunId,
    /// Where it stands.
    pub state: RunState,
    /// Whether a replay gives it another try.
    pub tried_again: bool,
}

/// `POST /api/deliveries/{id}/replay`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplayAsk {
    /// Only this route.
    #[serde(default)]
    pub route: Option<String>,
    /// Start also what was already started, is held or waits.
    #[serde(default)]
    pub again: bool,
    /// Kept with the act.
    #[serde(default)]
    pub note: Option<String>,
}

/// What a replay did.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReplayView {
    /// The delivery.
    pub delivery: DeliveryId,
    /// Run by run.
    pub runs: Vec<ReplayedView>,
}

/// What a replay did about one route.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReplayedView {
    /// The run.
    pub id: RunId,
    /// The route.
    pub route: String,
    /// `new`, `queued again`, `held`, `failed again` or `left as it is`.
    pub what: String,
    /// Where the run stands now.
    pub state: RunState,
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
    /// Kept with the act.
    #[serde(default)]
    pub note: Option<String>,
}

/// `POST /api/runs/{id}/cancel` and `POST /api/reload`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoteAsk {
    /// Kept with the act.
    #[serde(default)]
    pub note: Option<String>,
}

/// What a reload did.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReloadView {
    /// Digest of the configuration in force.
    pub version: String,
    /// In words.
    pub outcome: String,
}

/// `POST /api/pause`
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PauseAsk {
    /// What is to rest.
    #[serde(flatten)]
    pub what: Pausable,
    /// Why, kept with the act.
    #[serde(default)]
    pub note: Option<String>,
}

/// `POST /api/resume`
pub type ResumeAsk = PauseAsk;

/// Whether it had rested.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Resumed {
    /// False when there was nothing to let go on.
    pub rested: bool,
}

/// `GET /api/pauses`
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PausesView {
    /// What rests at a person's word, and keys that were refused.
    pub pauses: Vec<Pause>,
    /// Workbenches that rest because starts kept failing.
    pub resting: Vec<Resting>,
}

/// `GET /api/audit`
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AuditView {
    /// Newest first.
    pub acts: Vec<Audited>,
}

/// A person's word on a held run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReleaseWord {
    /// Try again.
    Retry,
    /// It was seen to have started.
    Started,
    /// Give it up.
    Fail,
}

/// `GET /api/status` and, with fewer details, `GET /readyz`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Status {
    /// Whether deliveries can be kept now.
    pub ready: bool,
    /// The program's version.
    pub version: String,
    /// Digest of the configuration in force.
    pub config: String,
    /// Faults in the configuration files as they are on disk; they are not in force.
    pub config_faults: usize,
    /// The time here.
    pub now: Timestamp,
    /// Why it is not ready, or what a person should look at.
    pub notes: Vec<String>,
    /// Queued runs.
    pub queued: u64,
    /// Runs on the wire.
    pub sending: u64,
    /// Runs that wait for a person.
    pub held: u64,
    /// Of those, how many have waited longer than `server.hold_alert`.
    #[serde(default)]
    pub held_too_long: u64,
}
