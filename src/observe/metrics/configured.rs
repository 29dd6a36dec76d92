//! Metrics that follow from the configuration: the role and the version in force, and the series of each configured
//! source, job and route.
//!
//! Prometheus sees no increase in a series that first appears with the value 1, and a query of a series that does not
//! exist yet has no result. So each configured name has its series from the first scrape on, at 0.

use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::{
    ATTEMPT, Bench, DEADLINE, Job, JobOutcome, Key, ListenerEnd, Metrics, NEWER, NOT_MAPPED, ROUTE,
    RoleLabel, Route, Settled, Source, SourceReason, SourceSecret, SourceVerdict, VersionInForce,
};
use crate::model::{Outcome, RunState};
use crate::observe::{Configured, ConnectionEnd, Verdict};

/// What can become of a run when its delivery is accepted, as state and cause.
const SETTLED_AT_ONCE: [(RunState, &str); 3] =
    [(RunState::Failed, NOT_MAPPED), (RunState::Held, ROUTE), (RunState::Superseded, NEWER)];

/// What can become of a run later without a person, as state and cause.
const SETTLED_LATER: [(RunState, &str); 4] = [
    (RunState::Started, ATTEMPT),
    (RunState::Held, ATTEMPT),
    (RunState::Failed, ATTEMPT),
    (RunState::Failed, DEADLINE),
];

/// Why a source can receive nothing, among the reasons of refusals.
const UNUSABLE: [&str; 4] = ["no_secret", "no_usable_secret", "no_keys", "misconfigured"];

/// The listeners, as the metrics of connections name them.
const HOOKS: &str = "hooks";
const ADMIN: &str = "admin";

/// The gauges of the configuration itself.
#[derive(Default)]
pub(super) struct InForce {
    role: Family<RoleLabel, Gauge>,
    version: Family<VersionInForce, Gauge>,
    secrets: Family<SourceSecret, Gauge>,
}

impl InForce {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "role_info",
            "The role of the process: all, ingest or dispatch; always 1",
            self.role.clone(),
        );
        registry.register(
            "config_info",
            "The version of the configuration in force; always 1",
            self.version.clone(),
        );
        registry.register(
            "secret_info",
            "The secrets that a source has, counted from 0; always 1",
            self.secrets.clone(),
        );
    }

    fn set(&self, configured: &Configured) {
        self.role.get_or_create(&RoleLabel { role: configured.role.as_str() }).set(1);
        // The version before must not stay at 1.
        self.version.clear();
        let config = configured.version.to_string();
        self.version.get_or_create(&VersionInForce { config }).set(1);
        // Nor must a secret that was dropped.
        self.secrets.clear();
        for (source, secrets) in &configured.sources {
            for secret in 0..u32::try_from(*secrets).unwrap_or(u32::MAX) {
                let labels = SourceSecret { source: source.to_string(), secret };
                self.secrets.get_or_create(&labels).set(1);
            }
        }
    }
}

impl Metrics {
    pub(super) fn of_configuration(&self, configured: &Configured) {
        self.in_force.set(configured);
        self.of_listener(ADMIN);
        if configured.role.receives() {
            self.of_listener(HOOKS);
            self.of_sources(configured);
        }
        if configured.role.dispatches() {
            self.of_targets(configured);
        }
    }

    fn of_listener(&self, listener: &'static str) {
        for end in ConnectionEnd::ALL {
            let end = end.as_str();
            self.connections_ended.get_or_create(&ListenerEnd { listener, end }).inc_by(0);
        }
    }

    fn of_sources(&self, configured: &Configured) {
        for (source, secrets) in &configured.sources {
            for verdict in Verdict::OF_SOURCES {
                let (source, verdict) = (source.to_string(), verdict.as_str());
                self.deliveries.get_or_create(&SourceVerdict { source, verdict }).inc_by(0);
            }
            for reason in UNUSABLE {
                let source = source.to_string();
                self.refusals.get_or_create(&SourceReason { source, reason }).inc_by(0);
            }
            for secret in 0..u32::try_from(*secrets).unwrap_or(u32::MAX) {
                self.secrets
                    .get_or_create(&SourceSecret { source: source.to_string(), secret })
                    .inc_by(0);
            }
            let source = Source { source: source.to_string() };
            self.same_ids.get_or_create(&source).inc_by(0);
            self.secrets_removed.get_or_create(&source).inc_by(0);
        }
        for route in &configured.routes {
            self.matches.get_or_create(&Route { route: route.to_string() }).inc_by(0);
        }
        self.of_runs(configured, &SETTLED_AT_ONCE);
    }

    fn of_targets(&self, configured: &Configured) {
        for job in &configured.jobs {
            for outcome in Outcome::ALL {
                let (job, outcome) = (job.to_string(), outcome.as_str());
                self.attempts.get_or_create(&JobOutcome { job, outcome }).inc_by(0);
            }
            let job = Job { job: job.to_string() };
            self.braked.get_or_create(&job).inc_by(0);
            self.not_asked.get_or_create(&job).inc_by(0);
        }
        self.of_runs(configured, &SETTLED_LATER);
        for workbench in &configured.workbenches {
            let workbench = workbench.to_string();
            self.breakers_opened.get_or_create(&Bench { workbench }).inc_by(0);
        }
        for key in &configured.keys {
            self.keys_refused.get_or_create(&Key { key: key.clone() }).inc_by(0);
        }
    }

    fn of_runs(&self, configured: &Configured, becomes: &[(RunState, &'static str)]) {
        for job in &configured.jobs {
            for (state, cause) in becomes {
                let (job, state) = (job.to_string(), state.as_str());
                self.settled.get_or_create(&Settled { job, state, cause }).inc_by(0);
            }
        }
    }
}
