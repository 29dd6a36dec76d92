//! Which metric counts which observation.

use super::{
    ATTEMPT, BRAKE, Bench, Cause, DEADLINE, Issuer, IssuerOutcome, Job, JobOutcome, Key, Listener,
    ListenerEnd, Metrics, NEWER, NOT_ASKED, NOT_MAPPED, PERSON, ROUTE, Route, Settled, Source,
    SourceReason, SourceSecret, SourceVerdict, level,
};
use crate::model::RunState;
use crate::observe::{AttemptEnded, DeliveryKept, Follows, Observation, RunAt, Verdict};
use crate::store::StoreFault;

impl Metrics {
    /// Counts an observation. The match has no catch-all arm, so that every new observation must be
    /// handled here.
    pub(in crate::observe) fn count(&self, observation: &Observation<'_>) {
        match *observation {
            Observation::DeliveryKept(ref kept) => self.kept(kept),
            Observation::SameIdOtherContent { source, .. } => {
                let labels = Source { source: source.to_owned() };
                self.same_ids.get_or_create(&labels).inc();
            }
            Observation::DeliveryRefused(ref refused) => {
                self.delivery(refused.source, refused.verdict);
                let source = refused.source.to_owned();
                let labels = SourceReason { source, reason: refused.reason };
                self.refusals.get_or_create(&labels).inc();
            }
            Observation::GreetedAgain { source } => self.delivery(source, Verdict::Handshake),
            Observation::SecretRemoved { source, .. } => {
                let labels = Source { source: source.to_owned() };
                self.secrets_removed.get_or_create(&labels).inc();
            }
            Observation::ConnectionsEnded { listener, end, count, .. } => {
                let labels = ListenerEnd { listener, end: end.as_str() };
                self.connections_ended.get_or_create(&labels).inc_by(count);
            }
            Observation::WrongToken { .. } => {
                self.wrong_tokens.inc();
            }
            Observation::StrangerWaits { listener, .. } => {
                self.strangers_waited.get_or_create(&Listener { listener }).inc();
            }
            Observation::HealthAsked => {
                self.health_asked.inc();
            }
            Observation::RouteMatched { route } => {
                self.matches.get_or_create(&Route { route: route.to_owned() }).inc();
            }
            Observation::RunNotMapped { at: RunAt { job, .. }, .. }
            | Observation::RunReplayed { state: RunState::Failed, job, .. } => {
                self.failed(job, NOT_MAPPED, 1);
            }
            Observation::RunsSuperseded { job, runs } => {
                self.settled(job, RunState::Superseded, NEWER, runs);
            }
            Observation::RunHeld { at, .. } => self.settled(at.job, RunState::Held, ROUTE, 1),
            // A person who queues a run again, by hand or by a replay, settles nothing.
            Observation::RunSettled { at, state: RunState::Failed, .. } => {
                self.failed(at.job, PERSON, 1);
            }
            Observation::RunSettled { at, state, .. } if state != RunState::Queued => {
                self.settled(at.job, state, PERSON, 1);
            }
            Observation::RunsOverdue { job, runs } => self.failed(job, DEADLINE, runs),
            Observation::RunsBraked { job, held } => {
                self.settled(job, RunState::Held, BRAKE, held);
                let labels = Job { job: job.to_owned() };
                self.braked.get_or_create(&labels).inc_by(held as u64);
            }
            Observation::RunsNotAsked { job, held } => {
                self.settled(job, RunState::Held, NOT_ASKED, held);
                let labels = Job { job: job.to_owned() };
                self.not_asked.get_or_create(&labels).inc_by(held as u64);
            }
            Observation::AttemptEnded(ref ended) => self.attempt(ended),
            Observation::KeyRefused { workbench, key } => {
                let labels = Key { key: format!("{workbench}/{key}") };
                self.keys_refused.get_or_create(&labels).inc();
            }
            Observation::BreakerOpened { workbench } => {
                let labels = Bench { workbench: workbench.to_owned() };
                self.breakers_opened.get_or_create(&labels).inc();
            }
            Observation::ConfigurationLoaded { report, at, .. }
            | Observation::ConfigurationReloaded { report, at, .. } => {
                self.config_faults.set(level(report.faults.len()));
                self.config_loaded.set(at.as_duration().as_secs_f64());
            }
            Observation::ConfigurationRefused { report } => {
                self.config_faults.set(level(report.faults.len()));
            }
            Observation::KeysFetched { host, at, .. } => {
                self.issuer_fetch(host, "fetched");
                let fetched = Issuer { host: host.to_owned() };
                let gauge = self.issuer_fetched.get_or_create_owned(&fetched);
                gauge.set(at.as_duration().as_secs_f64());
            }
            Observation::SubscriptionConfirmed { host, .. } => self.issuer_fetch(host, "confirmed"),
            Observation::KeysNotFetched { host, reason, .. }
            | Observation::SubscriptionNotConfirmed { host, reason, .. } => {
                self.issuer_fetch(host, reason);
            }
            Observation::StoreFault { fault, .. } => self.store_fault(fault),
            Observation::Retention { step } => {
                self.removed.inc_by(step.removed as u64);
                self.stripped.inc_by(step.stripped as u64);
                self.store_bytes.set(level(step.bytes));
            }
            Observation::SecretOffered { .. }
            | Observation::FewDescriptors { .. }
            | Observation::RunRedelivered { .. }
            | Observation::RunReplayed { .. }
            | Observation::RunSettled { .. }
            | Observation::ClockSetBack { .. }
            | Observation::AttemptUnrecorded { .. }
            | Observation::KeyChanged { .. }
            | Observation::TokenChanged { .. }
            | Observation::TokenUnreadable { .. }
            | Observation::TokenReadable { .. }
            | Observation::Paused { .. }
            | Observation::Resumed { .. }
            | Observation::BreakerResumed { .. }
            | Observation::BreakerHalfOpen { .. }
            | Observation::BreakerClosed { .. }
            | Observation::SourceUnusable { .. }
            | Observation::StoreFileExposed { .. }
            | Observation::SecretWithinReach { .. }
            | Observation::DeliveryErased { .. }
            | Observation::RouteFileAdopted { .. }
            | Observation::SecretDoubtful { .. }
            | Observation::DatabasePassword { .. }
            | Observation::StoreOverBound { .. }
            | Observation::Ready { .. }
            | Observation::Stopping { .. }
            | Observation::StartsCutOff
            | Observation::Stopped
            | Observation::RequestLogLost { .. } => {}
        }
    }

    fn kept(&self, kept: &DeliveryKept<'_>) {
        self.delivery(kept.source, kept.verdict);
        self.accept_time.observe(kept.took.as_secs_f64());
        // Shows when no delivery needs an old secret any more, so that it can be removed.
        if let Some(index) = kept.secret {
            let secret = u32::try_from(index).unwrap_or(u32::MAX);
            let labels = SourceSecret { source: kept.source.to_owned(), secret };
            self.secrets.get_or_create(&labels).inc();
        }
    }

    fn delivery(&self, source: &str, verdict: Verdict) {
        let labels = SourceVerdict { source: source.to_owned(), verdict: verdict.as_str() };
        self.deliveries.get_or_create(&labels).inc();
    }

    fn attempt(&self, ended: &AttemptEnded<'_>) {
        let labels = JobOutcome { job: ended.job.to_owned(), outcome: ended.outcome.as_str() };
        self.attempts.get_or_create(&labels).inc();
        self.attempt_time.observe(ended.took.as_secs_f64());
        match ended.next {
            Follows::Started => {
                self.start_delay.observe((ended.waited + ended.took).as_secs_f64());
                self.settled(ended.job, RunState::Started, ATTEMPT, 1);
            }
            Follows::Held => self.settled(ended.job, RunState::Held, ATTEMPT, 1),
            Follows::Failed => self.failed(ended.job, ATTEMPT, 1),
            Follows::Retry => {}
        }
    }

    fn failed(&self, job: &str, cause: &'static str, runs: usize) {
        self.failures_of(cause, runs);
        self.settled(job, RunState::Failed, cause, runs);
    }

    pub(super) fn failures_of(&self, cause: &'static str, runs: usize) {
        self.failures.get_or_create(&Cause { cause }).inc_by(runs as u64);
    }

    fn settled(&self, job: &str, state: RunState, cause: &'static str, runs: usize) {
        let labels = Settled { job: job.to_owned(), state: state.as_str(), cause };
        self.settled.get_or_create(&labels).inc_by(runs as u64);
    }

    /// Hosts come from the configuration, so the number of series is bounded.
    fn issuer_fetch(&self, host: &str, outcome: &'static str) {
        let labels = IssuerOutcome { host: host.to_owned(), outcome };
        self.issuer_fetches.get_or_create(&labels).inc();
    }

    /// Counts only faults of the store itself: one that rightly refuses an operation works.
    fn store_fault(&self, fault: &StoreFault) {
        if let StoreFault::Unavailable(_) | StoreFault::Unusable(_) = fault {
            self.store_faults.inc();
        }
    }
}
