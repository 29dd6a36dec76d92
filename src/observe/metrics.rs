//! Metrics for Prometheus, prefixed `cdsw_gateway_`. Labels come from the configuration or from fixed
//! lists, never from a payload. Nothing is counted elsewhere.

mod count;

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use super::{InFlight, Levels, OpenConnection};
use crate::store::Counts;

/// Cause of a failed run: its variables could not be made from the payload.
const NOT_MAPPED: &str = "mapping";
/// Cause of a failed run: an attempt failed for good, or the next one would have come too late.
const ATTEMPT: &str = "attempt";
/// Cause of a failed run: its deadline passed before it could be started.
const DEADLINE: &str = "deadline";

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Source {
    source: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SourceVerdict {
    source: String,
    verdict: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SourceReason {
    source: String,
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SourceSecret {
    source: String,
    secret: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct JobOutcome {
    job: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct IssuerOutcome {
    host: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Issuer {
    host: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct State {
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Cause {
    cause: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Job {
    job: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Bench {
    workbench: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Listener {
    listener: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ListenerEnd {
    listener: &'static str,
    end: &'static str,
}

type Seconds = Gauge<f64, AtomicU64>;

/// Every metric of the gateway.
pub struct Metrics {
    registry: Registry,
    deliveries: Family<SourceVerdict, Counter>,
    same_ids: Family<Source, Counter>,
    refusals: Family<SourceReason, Counter>,
    secrets: Family<SourceSecret, Counter>,
    secrets_removed: Family<Source, Counter>,
    issuer_fetches: Family<IssuerOutcome, Counter>,
    issuer_fetched: Family<Issuer, Seconds>,
    attempts: Family<JobOutcome, Counter>,
    failures: Family<Cause, Counter>,
    accept_time: Histogram,
    attempt_time: Histogram,
    runs: Family<State, Gauge>,
    oldest: Family<State, Seconds>,
    store_bytes: Gauge,
    removed: Counter,
    stripped: Counter,
    requests_in_flight: Gauge,
    bytes_in_flight: Gauge,
    connections: Family<Listener, Gauge>,
    connections_ended: Family<ListenerEnd, Counter>,
    wrong_tokens: Counter,
    store_faults: Counter,
    keys_refused: Counter,
    braked: Family<Job, Counter>,
    not_asked: Family<Job, Counter>,
    breakers_opened: Family<Bench, Counter>,
    breakers_open: Family<Bench, Gauge>,
    held_long: Gauge,
    paused: Gauge,
    config_faults: Gauge,
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
            deliveries: Family::default(),
            same_ids: Family::default(),
            refusals: Family::default(),
            secrets: Family::default(),
            secrets_removed: Family::default(),
            issuer_fetches: Family::default(),
            issuer_fetched: Family::default(),
            attempts: Family::default(),
            failures: Family::default(),
            accept_time: Histogram::new(exponential_buckets(0.000_5, 2.0, 16)),
            attempt_time: Histogram::new(exponential_buckets(0.005, 2.0, 16)),
            runs: Family::default(),
            oldest: Family::default(),
            store_bytes: Gauge::default(),
            removed: Counter::default(),
            stripped: Counter::default(),
            requests_in_flight: Gauge::default(),
            bytes_in_flight: Gauge::default(),
            connections: Family::default(),
            connections_ended: Family::default(),
            wrong_tokens: Counter::default(),
            store_faults: Counter::default(),
            keys_refused: Counter::default(),
            braked: Family::default(),
            not_asked: Family::default(),
            breakers_opened: Family::default(),
            breakers_open: Family::default(),
            held_long: Gauge::default(),
            paused: Gauge::default(),
            config_faults: Gauge::default(),
        };
        metrics.register();
        // Prometheus sees no increase in a series that first appears with the value 1, so these start at
        // 0.
        for cause in [NOT_MAPPED, ATTEMPT, DEADLINE] {
            metrics.failed(cause, 0);
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
            "Runs that failed, by cause: mapping, attempt or deadline",
            self.failures.clone(),
        );
        registry.register_with_unit(
            "accept",
            "Time from a delivery's head to its answer",
            Unit::Seconds,
            self.accept_time.clone(),
        );
        registry.register_with_unit(
            "attempt",
            "Time from sending a start to knowing its outcome",
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
            "in_flight",
            "Bytes of webhook bodies being received",
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
        registry.register("store_faults", "Failed uses of the store", self.store_faults.clone());
        registry.register(
            "keys_refused",
            "API keys refused by a workbench",
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
            "config_faults",
            "Faults in the configuration files as they are on disk",
            self.config_faults.clone(),
        );
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
        self.levels(levels);
        let mut out = String::new();
        // Writing to a string cannot fail.
        let _ = text::encode(&mut out, &self.registry);
        out
    }

    fn levels(&self, levels: &Levels) {
        if let Some(counts) = &levels.counts {
            self.waiting(counts, levels.now.as_millisecond());
        }
        if let Some(held) = levels.held_too_long {
            self.held_long.set(level(held));
        }
        if let Some(paused) = levels.paused {
            self.paused.set(level(paused));
        }
        for (workbench, is_open) in &levels.breakers {
            let labels = Bench { workbench: workbench.to_string() };
            self.breakers_open.get_or_create(&labels).set(i64::from(*is_open));
        }
    }

    fn waiting(&self, counts: &Counts, now_ms: i64) {
        let states = [
            ("waiting", counts.waiting),
            ("queued", counts.queued),
            ("sending", counts.sending),
            ("held", counts.held),
        ];
        for (state, count) in states {
            self.runs.get_or_create(&State { state }).set(level(count));
        }
        let oldest = [("queued", counts.oldest_queued_ms), ("held", counts.oldest_held_ms)];
        for (state, since) in oldest {
            let age = since.map_or(0, |since| (now_ms - since).max(0));
            let age = Duration::from_millis(age.unsigned_abs()).as_secs_f64();
            self.oldest.get_or_create(&State { state }).set(age);
        }
    }
}

fn level(count: impl TryInto<i64>) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}
