//! Numbers for Prometheus, prefixed `cdsw_gateway_`. Labels come from the configuration or from
//! fixed lists, never from a payload.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use jiff::Timestamp;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use crate::model::AttemptResult;
use crate::store::{Counts, Tidied};

/// A request's source and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct SourceVerdict {
    /// The configured source; `unknown` where there is none of that name.
    pub source: String,
    /// What became of it.
    pub verdict: &'static str,
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
struct Job {
    job: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Bench {
    workbench: String,
}

type Seconds = Gauge<f64, AtomicU64>;

/// Every metric of the gateway.
pub struct Metrics {
    registry: Registry,
    deliveries: Family<SourceVerdict, Counter>,
    refusals: Family<SourceReason, Counter>,
    secrets: Family<SourceSecret, Counter>,
    issuer_fetches: Family<IssuerOutcome, Counter>,
    issuer_fetched: Family<Issuer, Seconds>,
    attempts: Family<JobOutcome, Counter>,
    accept_time: Histogram,
    attempt_time: Histogram,
    runs: Family<State, Gauge>,
    oldest: Family<State, Seconds>,
    store_bytes: Gauge,
    removed: Counter,
    /// Requests being received.
    pub requests_in_flight: Gauge,
    /// Bytes of bodies being received.
    pub bytes_in_flight: Gauge,
    /// Times that the store could not do what it was asked.
    pub store_faults: Counter,
    /// Times that a workbench refused a key.
    pub keys_refused: Counter,
    braked: Family<Job, Counter>,
    breakers_opened: Family<Bench, Counter>,
    resting: Family<Bench, Gauge>,
    held_long: Gauge,
    paused: Gauge,
    /// Faults in the configuration files as they are now; 0 when they are in force.
    pub config_faults: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// All at zero.
    pub fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("cdsw_gateway"),
            deliveries: Family::default(),
            refusals: Family::default(),
            secrets: Family::default(),
            issuer_fetches: Family::default(),
            issuer_fetched: Family::default(),
            attempts: Family::default(),
            accept_time: Histogram::new(exponential_buckets(0.000_5, 2.0, 16)),
            attempt_time: Histogram::new(exponential_buckets(0.005, 2.0, 16)),
            runs: Family::default(),
            oldest: Family::default(),
            store_bytes: Gauge::default(),
            removed: Counter::default(),
            requests_in_flight: Gauge::default(),
            bytes_in_flight: Gauge::default(),
            store_faults: Counter::default(),
            keys_refused: Counter::default(),
            braked: Family::default(),
            breakers_opened: Family::default(),
            resting: Family::default(),
            held_long: Gauge::default(),
            paused: Gauge::default(),
            config_faults: Gauge::default(),
        };
        metrics.register();
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
        registry.register("attempts", "Start requests by job and outcome", self.attempts.clone());
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
        registry.register("store_faults", "Failed uses of the store", self.store_faults.clone());
        registry.register(
            "keys_refused",
            "API keys refused by a workbench",
            self.keys_refused.clone(),
        );
        registry.register("braked_runs", "Runs held by their job's brake", self.braked.clone());
        registry.register(
            "circuit_breaker_opened",
            "Times that a workbench was given a rest because starts kept failing",
            self.breakers_opened.clone(),
        );
        registry.register(
            "circuit_breaker_open",
            "1 while a workbench rests or is being tried, else 0",
            self.resting.clone(),
        );
        registry.register(
            "held_too_long",
            "Runs that wait for a person for longer than server.hold_alert",
            self.held_long.clone(),
        );
        registry.register(
            "pauses",
            "Jobs, routes, API keys and the stop switch that rest",
            self.paused.clone(),
        );
        registry.register(
            "config_faults",
            "Faults in the configuration files as they are on disk",
            self.config_faults.clone(),
        );
    }

    /// Counts a request by what became of it.
    pub fn delivery(&self, source: &str, verdict: &'static str) {
        let labels = SourceVerdict { source: source.to_owned(), verdict };
        self.deliveries.get_or_create(&labels).inc();
    }

    /// Counts a kept delivery's time.
    pub fn accepted_in(&self, time: Duration) {
        self.accept_time.observe(time.as_secs_f64());
    }

    /// Counts a refusal by its reason.
    pub fn refusal(&self, source: &str, reason: &'static str) {
        self.refusals.get_or_create(&SourceReason { source: source.to_owned(), reason }).inc();
    }

    /// Counts which secret verified a delivery, so that an old one can be dropped once unused.
    pub fn secret(&self, source: &str, index: usize) {
        let secret = u32::try_from(index).unwrap_or(u32::MAX);
        self.secrets.get_or_create(&SourceSecret { source: source.to_owned(), secret }).inc();
    }

    /// Counts a fetch of published keys. Hosts are those of the configuration.
    pub fn issuer_fetch(&self, host: &str, outcome: &'static str) {
        let labels = IssuerOutcome { host: host.to_owned(), outcome };
        self.issuer_fetches.get_or_create(&labels).inc();
    }

    /// Notes when the keys in use were fetched.
    pub fn issuer_fetched_at(&self, host: &str, now: Timestamp) {
        let gauge = self.issuer_fetched.get_or_create_owned(&Issuer { host: host.to_owned() });
        gauge.set(now.as_duration().as_secs_f64());
    }

    /// Counts an attempt.
    pub fn attempt(&self, job: &str, result: &AttemptResult) {
        let labels = JobOutcome { job: job.to_owned(), outcome: result.outcome.as_str() };
        self.attempts.get_or_create(&labels).inc();
        self.attempt_time.observe(result.took.as_secs_f64());
    }

    /// Counts runs that a brake held.
    pub fn braked(&self, job: &str, held: usize) {
        self.braked.get_or_create(&Job { job: job.to_owned() }).inc_by(held as u64);
    }

    /// Counts a workbench that is given a rest.
    pub fn breaker_opened(&self, workbench: &str) {
        self.breakers_opened.get_or_create(&Bench { workbench: workbench.to_owned() }).inc();
    }

    /// Says of a workbench whether it rests.
    pub fn rests(&self, workbench: &str, rests: bool) {
        let labels = Bench { workbench: workbench.to_owned() };
        self.resting.get_or_create(&labels).set(i64::from(rests));
    }

    /// Says how much waits for a person's word.
    pub fn waits_for_people(&self, held_long: u64, paused: usize) {
        self.held_long.set(i64::try_from(held_long).unwrap_or(i64::MAX));
        self.paused.set(i64::try_from(paused).unwrap_or(i64::MAX));
    }

    /// Counts what retention did.
    pub fn tidied(&self, tidied: &Tidied) {
        self.removed.inc_by(tidied.removed as u64);
        self.store_bytes.set(i64::try_from(tidied.bytes).unwrap_or(i64::MAX));
    }

    /// How many requests of any kind a source has had with this verdict, for tests and `doctor`.
    pub fn deliveries_of(&self, source: &str, verdict: &'static str) -> u64 {
        let labels = SourceVerdict { source: source.to_owned(), verdict };
        self.deliveries.get_or_create(&labels).get()
    }

    /// The text that Prometheus reads.
    pub fn text(&self, counts: Option<&Counts>, now_ms: i64) -> String {
        if let Some(counts) = counts {
            self.waiting(counts, now_ms);
        }
        let mut out = String::new();
        // Writing to a string cannot fail.
        let _ = text::encode(&mut out, &self.registry);
        out
    }

    fn waiting(&self, counts: &Counts, now_ms: i64) {
        let states = [
            ("waiting", counts.waiting),
            ("queued", counts.queued),
            ("sending", counts.sending),
            ("held", counts.held),
        ];
        for (state, count) in states {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            self.runs.get_or_create(&State { state }).set(count);
        }
        let oldest = [("queued", counts.oldest_queued_ms), ("held", counts.oldest_held_ms)];
        for (state, since) in oldest {
            let age = since.map_or(0, |since| (now_ms - since).max(0));
            let age = Duration::from_millis(age.unsigned_abs()).as_secs_f64();
            self.oldest.get_or_create(&State { state }).set(age);
        }
    }
}
