//! A kept delivery, judged again by the current routes.

use serde::{Deserialize, Serialize};

use super::deliveries::ExplanationView;
use crate::judge::{Draft, Mapped};
use crate::model::{DeliveryId, Environment, RunId, RunState};
use crate::store;

/// `GET /api/deliveries/{id}/explain`: what the current routes would do with a kept delivery.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExplainView {
    /// The delivery.
    pub delivery: DeliveryId,
    /// Why each route does or does not match.
    pub explanation: ExplanationView,
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
    /// The run that the delivery already has for this route and event. A replay without `again` makes no
    /// second one.
    #[serde(default)]
    pub kept: Option<KeptRun>,
}

/// A run that a delivery has already.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeptRun {
    /// Its id.
    pub id: RunId,
    /// Its state.
    pub state: RunState,
    /// Whether a replay tries it again.
    pub tried_again: bool,
}

/// `POST /api/deliveries/{id}/replay`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplayAsk {
    /// Only this route.
    #[serde(default)]
    pub route: Option<String>,
    /// Also start what has already started, is held or waits.
    #[serde(default)]
    pub again: bool,
    /// A note, kept with the act.
    #[serde(default)]
    pub note: Option<String>,
}

/// What a replay did.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReplayView {
    /// The delivery.
    pub delivery: DeliveryId,
    /// One entry per run.
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
    /// The state of the run now.
    pub state: RunState,
}

impl WouldRun {
    /// The run that a draft would become, beside the one that the delivery has already.
    pub(in crate::admin) fn of(draft: &Draft, kept: Option<KeptRun>) -> Self {
        let (environment, reason) = match draft.mapped.clone() {
            Mapped::Ready(environment) => (Some(environment), None),
            Mapped::Held(environment, reason) => (Some(environment), Some(reason)),
            Mapped::Failed(reason) => (None, Some(reason)),
        };
        Self {
            route: draft.route.name.to_string(),
            job: draft.route.job.name.to_string(),
            part: draft.part,
            environment,
            reason,
            kept,
        }
    }
}

impl From<&store::RunBrief> for KeptRun {
    fn from(run: &store::RunBrief) -> Self {
        Self { id: run.id, state: run.state, tried_again: run.state.is_tried_again() }
    }
}

impl From<store::ReplayedRun> for ReplayedView {
    fn from(run: store::ReplayedRun) -> Self {
        Self { id: run.id, route: run.route, what: run.what.to_owned(), state: run.state }
    }
}
