//! Metrics for Prometheus, prefixed `cdsw_gateway_`. Labels come from the configuration or from fixed
//! lists, never from a payload. Nothing is counted elsewhere.

mod configured;
mod count;
mod format;
mod labels;
mod levels;
mod process;

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use super::{InFlight, Levels, OpenConnection};
use configured::InForce;
use labels::{
    Bench, Cause, Issuer, IssuerOutcome, Job, JobOutcome, JobState, Key, KindName, Listener,
    ListenerEnd, RoleLabel, Route, Settled, Source, SourceReason, SourceSecret, SourceVerdict,
    State, Version, VersionInForce,
};
use process::Process;

pub use format::MetricsFormat;

/// Cause of a failed run: its variables could not be made from the payload.
const NOT_MAPPED: &str = "mapping";
/// Cause of a failed run: an attempt failed for good, or the next one would have come too late.
const ATTEMPT: &str = "attempt";
/// Cause of a failed run: its deadline passed before it could be started.
const DEADLINE: &str = "deadline";
/// Cause of a settled run: a person decided.
const PERSON: &str = "person";
/// A newer run took its place.
const NEWER: &str = "newer";
/// Cause of a held run: its job's brake.
const BRAKE: &str = "brake";
/// Cause of a held run: the configuration does not ask for it.
const NOT_ASKED: &str = "not_asked";
/// Cause of a held run: its route asks for a look at each run.
const ROUTE: &str = "route";

type Seconds = Gauge<f64, AtomicU64>;

/// Every metric of the gateway.
pub struct Metrics {
    registry: Registry,
    process: Process,
    deliveries: Family<SourceVerdict, Counter>,
    same_ids: Family<Source, Counter>,
    refusals: Family<SourceReason, Counter>,
    secrets: Family<SourceSecret, Counter>,
    secrets_removed: Family<Source, Counter>,
    issuer_fetches: Family<IssuerOutcome, Counter>,
    issuer_fetched: Family<Issuer, Seconds>,
    attempts: Family<JobOutcome, Counter>,
    failures: Family<Cause, Counter>,
    settled: Family<Settled, Counter>,
    matches: Family<Route, Counter>,
    health_asked: Counter,
    accept_time: Histogram,
    attempt_time: Histogram,
    start_delay: Histogram,
    runs: Family<State, Gauge>,
    oldest: Family<State, Seconds>,
    job_runs: Family<JobState, Gauge>,
    job_oldest: Family<JobState, Seconds>,
    failed_lately: Family<Job, Gauge>,
    backlog: Family<Job, Gauge>,
    backlog_pace: Family<Job, Gauge>,
    backlog_end: Family<Job, Seconds>,
    late: Family<Job, Gauge>,
    clock_ahead: Family<Bench, Seconds>,
    no_keys: Gauge,
    store_bytes: Gauge,
    removed: Counter,
    stripped: Counter,
    requests_in_flight: Gauge,
    bytes_in_flight: Gauge,
    connections: Family<Listener, Gauge>,
    connections_ended: Family<ListenerEnd, Counter>,
    wrong_tokens: Counter,
    strangers_waited: Family<Listener, Counter>,
    store_faults: Counter,
    keys_refused: Family<Key, Counter>,
    braked: Family<Job, Counter>,
    not_asked: Family<Job, Counter>,
    breakers_opened: Family<Bench, Counter>,
    breakers_open: Family<Bench, Gauge>,
    held_long: Gauge,
    paused: Gauge,
    paused_names: Family<KindName, Gauge>,
    config_faults: Gauge,
    config_loaded: Seconds,
    in_force: InForce,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Metrics that are all at zero.
    pub fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("cdsw_gateway"),
            process: Process::new(),
            deliveries: Family::default(),
            same_ids: Family::default(),
            refusals: Family::default(),
            secrets: Family::default(),
            secrets_removed: Family::default(),
            issuer_fetches: Family::default(),
            issuer_fetched: Family::default(),
            attempts: Family::default(),
            failures: Family::default(),
            settled: Family::default(),
            matches: Family::default(),
            health_asked: Counter::default(),
            accept_time: Histogram::new(exponential_buckets(0.000_5, 2.0, 16)),
            attempt_time: Histogram::new(exponential_buckets(0.005, 2.0, 16)),
            start_delay: Histogram::new(exponential_buckets(0.02, 3.0, 14)),
            runs: Family::default(),
            oldest: Family::default(),
            job_runs: Family::default(),
            job_oldest: Family::default(),
            failed_lately: Family::default(),
            backlog: Family::default(),
            backlog_pace: Family::default(),
            backlog_end: Family::default(),
            late: Family::default(),
            clock_ahead: Family::default(),
            no_keys: Gauge::default(),
            store_bytes: Gauge::default(),
            removed: Counter::default(),
            stripped: Counter::default(),
            requests_in_flight: Gauge::default(),
            bytes_in_flight: Gauge::default(),
            connections: Family::default(),
            connections_ended: Family::default(),
            strangers_waited: Family::default(),
            wrong_tokens: Counter::default(),
            store_faults: Counter::default(),
            keys_refused: Family::default(),
            braked: Family::default(),
            not_asked: Family::default(),
            breakers_opened: Family::default(),
            breakers_open: Family::default(),
            held_long: Gauge::default(),
            paused: Gauge::default(),
            paused_names: Family::default(),
            config_faults: Gauge::default(),
            config_loaded: Gauge::default(),
            in_force: InForce::default(),
        };
        metrics.register();
        // Prometheus sees no increase in a series that first appears with the value 1, so these start at
        // 0.
        for cause in [NOT_MAPPED, ATTEMPT, DEADLINE, PERSON] {
            metrics.failures_of(cause, 0);
        }
        metrics
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "deliveries",
            "Webhook requests by source and by what became of them",
            self.deliveries.clone(),
        );
        registry.register(
            "deliveries_same_id",
            "Deliveries with the id of another one and other content, by source",
            self.same_ids.clone(),
        );
        registry.register(
            "refusals",
            "Requests that were not authentic or not readable, by reason",
            self.refusals.clone(),
        );
        registry.register(
            "secret_matches",
            "Which of a source's secrets verified its deliveries, counted from 0",
            self.secrets.clone(),
        );
        registry.register(
            "issuer_fetches",
            "Fetches of published keys and confirmations of subscriptions, by host and outcome",
            self.issuer_fetches.clone(),
        );
        registry.register_with_unit(
            "issuer_fetched",
            "When the published keys in use were fetched, since 1970",
            Unit::Seconds,
            self.issuer_fetched.clone(),
        );
        registry.register(
            "secrets_removed",
            "Deliveries from which a secret of their source was removed before they were kept",
            self.secrets_removed.clone(),
        );
        registry.register("attempts", "Start requests by job and outcome", self.attempts.clone());
        registry.register(
            "runs_failed",
            "Runs that failed, by cause: mapping, attempt, deadline or person",
            self.failures.clone(),
        );
        registry.register(
            "runs_settled",
            "Runs that were started, failed, held or cancelled, by job, state and cause",
            self.settled.clone(),
        );
        registry.register(
            "hooks_health_checks",
            "Requests for /healthz of the listener for webhooks",
            self.health_asked.clone(),
        );
        registry.register("matches", "Runs of new deliveries, by route", self.matches.clone());
        registry.register_with_unit(
            "accept_duration",
            "Time from a delivery's head to its answer",
            Unit::Seconds,
            self.accept_time.clone(),
        );
        registry.register_with_unit(
            "attempt_duration",
            "Time from sending a start to knowing its outcome",
            Unit::Seconds,
            self.attempt_time.clone(),
        );
        registry.register_with_unit(
            "start_delay",
            "Time from accepting a delivery to knowing that its run was started",
            Unit::Seconds,
            self.start_delay.clone(),
        );
        registry.register_with_unit(
            "accept",
            "The old name of accept_duration_seconds, kept for one version",
            Unit::Seconds,
            self.accept_time.clone(),
        );
        registry.register_with_unit(
            "attempt",
            "The old name of attempt_duration_seconds, kept for one version",
            Unit::Seconds,
            self.attempt_time.clone(),
        );
        registry.register("runs", "Runs that wait, by state", self.runs.clone());
        registry.register_with_unit(
            "oldest_run",
            "Age of the oldest run that waits, by state",
            Unit::Seconds,
            self.oldest.clone(),
        );
        registry.register("job_runs", "Runs that wait, by job and state", self.job_runs.clone());
        registry.register_with_unit(
            "job_oldest_run",
            "Age of the oldest run that waits, by job and state; 0 where none waits",
            Unit::Seconds,
            self.job_oldest.clone(),
        );
        registry.register(
            "runs_failed_lately",
            "Runs that failed within the last day and are still failed, by job",
            self.failed_lately.clone(),
        );
        registry.register(
            "backlog_runs",
            "Runs of a backlog that are still queued while it is released at a pace, by job",
            self.backlog.clone(),
        );
        registry.register(
            "backlog_starts_per_minute",
            "The pace at which a job's queued runs are started, where it has one; else 0",
            self.backlog_pace.clone(),
        );
        registry.register_with_unit(
            "backlog_expected_end",
            "When the last of a job's queued runs is expected to start, since 1970; 0 where it has no pace",
            Unit::Seconds,
            self.backlog_end.clone(),
        );
        registry.register(
            "runs_expected_late",
            "Queued runs whose deadline is before the expected end of their job's queue",
            self.late.clone(),
        );
        registry.register_with_unit(
            "workbench_clock_ahead",
            "How far a workbench's clock is ahead of this machine's, as its last reply said",
            Unit::Seconds,
            self.clock_ahead.clone(),
        );
        registry.register(
            "issuers_without_keys",
            "Configured addresses of published keys that could not be fetched so far",
            self.no_keys.clone(),
        );
        registry.register_with_unit(
            "store",
            "Size of the store's pages in use",
            Unit::Bytes,
            self.store_bytes.clone(),
        );
        registry.register(
            "deliveries_removed",
            "Deliveries removed by retention",
            self.removed.clone(),
        );
        registry.register(
            "deliveries_stripped",
            "Deliveries whose content retention gave up to keep the store's size bound",
            self.stripped.clone(),
        );
        registry.register(
            "requests_in_flight",
            "Webhook requests being received",
            self.requests_in_flight.clone(),
        );
        registry.register_with_unit(
            "requests_in_flight",
            "Bytes of webhook bodies being received",
            Unit::Bytes,
            self.bytes_in_flight.clone(),
        );
        registry.register_with_unit(
            "in_flight",
            "The old name of requests_in_flight_bytes, kept for one version",
            Unit::Bytes,
            self.bytes_in_flight.clone(),
        );
        registry.register("connections", "Open connections by listener", self.connections.clone());
        registry.register(
            "connections_ended",
            "Connections that were not taken or were closed by the gateway, by listener and reason",
            self.connections_ended.clone(),
        );
        registry.register(
            "wrong_admin_tokens",
            "Requests to the admin listener with a token that is not configured",
            self.wrong_tokens.clone(),
        );
        registry.register(
            "strangers_waited",
            "Requests of clients of which nothing was proved that had to wait for their turn, by listener",
            self.strangers_waited.clone(),
        );
        registry.register("store_faults", "Failed uses of the store", self.store_faults.clone());
        registry.register(
            "keys_refused",
            "API keys refused by a workbench, by key",
            self.keys_refused.clone(),
        );
        registry.register("braked_runs", "Runs held by their job's brake", self.braked.clone());
        registry.register(
            "not_asked_runs",
            "Runs held because the configuration does not ask for them",
            self.not_asked.clone(),
        );
        registry.register(
            "circuit_breaker_opened",
            "Times that a workbench's circuit breaker opened because starts kept failing",
            self.breakers_opened.clone(),
        );
        registry.register(
            "circuit_breaker_open",
            "1 while a workbench's circuit breaker is open or half-open, else 0",
            self.breakers_open.clone(),
        );
        registry.register(
            "held_too_long",
            "Runs that wait for a person for longer than server.hold_alert",
            self.held_long.clone(),
        );
        registry.register(
            "pauses",
            "Jobs, routes, API keys and the stop switch that are paused",
            self.paused.clone(),
        );
        registry.register(
            "paused",
            "1 for each job, route, API key and stop switch that is paused, else 0",
            self.paused_names.clone(),
        );
        registry.register(
            "config_faults",
            "Faults in the configuration files as they are on disk",
            self.config_faults.clone(),
        );
        registry.register_with_unit(
            "config_loaded",
            "When configuration files last came into force, since 1970",
            Unit::Seconds,
            self.config_loaded.clone(),
        );
        self.in_force.register(registry);
        // A gauge that is always 1, as Prometheus's own clients have it: text 0.0.4 has no type for it.
        let build = Family::<Version, Gauge>::default();
        build.get_or_create(&Version { version: env!("CARGO_PKG_VERSION") }).set(1);
        registry.register("build_info", "The program that runs, by version; always 1", build);
    }

    pub(super) fn request_in_flight(&self) -> InFlight {
        InFlight::begin(self.requests_in_flight.clone(), self.bytes_in_flight.clone())
    }

    pub(super) fn connection_open(&self, listener: &'static str) -> OpenConnection {
        OpenConnection::begin(self.connections.get_or_create(&Listener { listener }).clone())
    }

    /// How many faults of the store were counted, for tests.
    pub fn store_faults(&self) -> u64 {
        self.store_faults.get()
    }

    /// How many requests of any kind a source has had with this verdict, for tests and `doctor`.
    pub fn deliveries_of(&self, source: &str, verdict: &'static str) -> u64 {
        let labels = SourceVerdict { source: source.to_owned(), verdict };
        self.deliveries.get_or_create(&labels).get()
    }

    /// The text that Prometheus reads, with the gauges set to these levels.
    pub fn text(&self, levels: &Levels) -> String {
        self.in_format(levels, MetricsFormat::OpenMetrics)
    }

    /// The text in this format, with the gauges set to these levels.
    pub fn in_format(&self, levels: &Levels, format: MetricsFormat) -> String {
        self.set(levels);
        let mut out = String::new();
        // Writing to a string cannot fail.
        let _ = text::encode_registry(&mut out, &self.registry);
        let _ = text::encode_registry(&mut out, self.process.registry());
        let _ = text::encode_eof(&mut out);
        format::written(&out, format)
    }
}

fn level(count: impl TryInto<i64>) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}
