//! What the configuration in force has, with its state now and what happened lately, from facts that were read
//! before. Pure.

use jiff::Timestamp;

use super::views::{
    BreakerView, JobStatus, JobView, KeyView, LastRun, LatelyView, PauseView, RouteInForce,
    WorkbenchView,
};
use crate::config::{JobPlan, Plan, RoutePlan};
use crate::dispatch::OpenBreaker;
use crate::model::RunState;
use crate::store::{Audited, Lately, Pausable, Pause};

/// What the gateway does by itself stands under this name in the audit log.
const GATEWAY: &str = "gateway";

/// What was read for one list.
pub(super) struct Seen<'a> {
    /// The configuration in force.
    pub(super) plan: &'a Plan,
    /// What happened lately.
    pub(super) lately: &'a Lately,
    /// Since when is counted.
    pub(super) since: Timestamp,
}

impl Seen<'_> {
    /// How far back the runs are known.
    pub(super) fn of_runs(&self) -> LatelyView {
        LatelyView { since: self.since, reaches_back_to: self.lately.runs_since }
    }

    /// How far back the deliveries are known.
    pub(super) fn of_deliveries(&self) -> LatelyView {
        LatelyView { since: self.since, reaches_back_to: self.lately.deliveries_since }
    }

    /// Every job. `waits_for` says what the starts of one wait for.
    pub(super) fn jobs(
        &self,
        statuses: &[JobStatus],
        waits_for: impl Fn(&JobPlan) -> Option<String>,
    ) -> Vec<JobView> {
        let view = |job: &JobPlan| {
            let status = statuses.iter().find(|status| *status.job == *job.name);
            let status = status.cloned().unwrap_or_default();
            let is_it = |name: &str| *name == *job.name;
            JobView {
                name: job.name.to_string(),
                description: job.description.clone(),
                workbench: job.workbench.name.to_string(),
                target: job.target.to_string(),
                api_key: key_of(job),
                routes: self.routes_where(|route| route.job.name == job.name),
                waits_for: waits_for(job),
                waiting: status.waiting,
                queued: status.queued,
                sending: status.sending,
                held: status.held,
                failed_lately: status.failed_lately,
                last_start: self.last_start(is_it),
                last: self.last(is_it),
                starts_at_once: job.starts_at_once,
                starts_per_minute: job.starts_per_minute,
                starts_per_hour: job.starts_per_hour,
            }
        };
        self.plan.jobs.values().map(|job| view(job)).collect()
    }

    /// Every route. `waits_for` says what the runs of one wait for.
    pub(super) fn routes(
        &self,
        waits_for: impl Fn(&RoutePlan) -> Option<String>,
    ) -> Vec<RouteInForce> {
        let view = |route: &RoutePlan| {
            let runs = || self.lately.runs.iter().filter(|runs| *runs.route == *route.name);
            RouteInForce {
                name: route.name.to_string(),
                description: route.description.clone(),
                sources: route.sources.iter().map(ToString::to_string).collect(),
                job: route.job.name.to_string(),
                file: route.file.to_string(),
                line: route.line,
                waits_for: waits_for(route),
                runs: runs().map(|runs| runs.runs).sum(),
                last_matched: runs().map(|runs| runs.accepted).max(),
            }
        };
        self.plan.routes.iter().map(|route| view(route)).collect()
    }

    /// Every API key, by workbench and name.
    pub(super) fn keys(&self, pauses: &[Pause], audit: &[Audited]) -> Vec<KeyView> {
        let names = self.plan.workbenches.values().flat_map(|workbench| {
            workbench
                .api_keys
                .keys()
                .map(move |key| (&workbench.name, format!("{}/{key}", workbench.name)))
        });
        let view = |(workbench, name): (&std::sync::Arc<str>, String)| KeyView {
            workbench: workbench.to_string(),
            jobs: self.jobs_where(|job| key_of(job) == name),
            paused: pauses.iter().find(|pause| is_key(pause, &name)).cloned().map(PauseView::from),
            last_accepted: self
                .last_start(|job| self.plan.jobs.get(job).is_some_and(|job| key_of(job) == name)),
            last_refused: audit
                .iter()
                .filter(|entry| is_refusal(entry, &name))
                .map(|entry| entry.at)
                .max(),
            name,
        };
        names.map(view).collect()
    }

    /// Every workbench.
    pub(super) fn workbenches(&self, pauses: &[Pause], open: &[OpenBreaker]) -> Vec<WorkbenchView> {
        let workbenches = self.plan.workbenches.values();
        let views = workbenches.map(|workbench| {
            let is_on_it = |job: &str| {
                self.plan.jobs.get(job).is_some_and(|job| job.workbench.name == workbench.name)
            };
            let keys = workbench.api_keys.keys().map(|key| format!("{}/{key}", workbench.name));
            let paused = keys.filter_map(|key| pauses.iter().find(|pause| is_key(pause, &key)));
            let breaker = open.iter().find(|open| *open.workbench == *workbench.name);
            WorkbenchView {
                name: workbench.name.to_string(),
                url: workbench.url.origin().ascii_serialization(),
                jobs: self.jobs_where(|job| job.workbench.name == workbench.name),
                circuit_breaker: breaker.cloned().map(BreakerView::from),
                paused_keys: paused.cloned().map(PauseView::from).collect(),
                last_start: self.last_start(is_on_it),
                last: self.last(is_on_it),
            }
        });
        views.collect()
    }

    /// The names of the routes of which this holds.
    pub(super) fn routes_where(&self, holds: impl Fn(&RoutePlan) -> bool) -> Vec<String> {
        let routes = self.plan.routes.iter().filter(|route| holds(route));
        routes.map(|route| route.name.to_string()).collect()
    }

    fn jobs_where(&self, holds: impl Fn(&JobPlan) -> bool) -> Vec<String> {
        let jobs = self.plan.jobs.values().filter(|job| holds(job));
        jobs.map(|job| job.name.to_string()).collect()
    }

    /// When one of these jobs was last started.
    fn last_start(&self, is_it: impl Fn(&str) -> bool) -> Option<Timestamp> {
        let runs = self.lately.runs.iter();
        let started = runs.filter(|runs| runs.state == RunState::Started && is_it(&runs.job));
        started.map(|runs| runs.changed).max()
    }

    /// What the last run of one of these jobs came to.
    fn last(&self, is_it: impl Fn(&str) -> bool) -> Option<LastRun> {
        let came_to =
            |state| matches!(state, RunState::Started | RunState::Failed | RunState::Held);
        let runs = self.lately.runs.iter().filter(|runs| came_to(runs.state) && is_it(&runs.job));
        let last = runs.max_by_key(|runs| runs.changed)?;
        Some(LastRun { state: last.state, at: last.changed })
    }
}

fn key_of(job: &JobPlan) -> String {
    format!("{}/{}", job.workbench.name, job.api_key)
}

fn is_key(pause: &Pause, name: &str) -> bool {
    matches!(&pause.what, Pausable::Key(key) if key == name)
}

/// Whether the gateway paused the key by itself, which it does where a workbench refuses it.
fn is_refusal(entry: &Audited, name: &str) -> bool {
    let Audited { who, act, kind, name: of, .. } = entry;
    (&**who, &**act, &**kind, &**of) == (GATEWAY, "pause", "key", name)
}
