//! Every log line is written here, so that a field has the same name everywhere and a reader finds all
//! messages in one place.

use std::io;
use std::time::Duration;

use tracing::{error, info, warn};

use super::{AttemptEnded, ConnectionEnd, DeliveryKept, DeliveryRefused, Observation, RunAt};
use crate::config::{Change, Fault, Report};
use crate::model::{Outcome, RunState};
use crate::store::RetentionStep;

/// Writes the log line of an observation, where it has one. The match has no catch-all arm, so that every
/// new observation must be handled here.
pub(super) fn write(observation: &Observation<'_>) {
    match *observation {
        Observation::DeliveryKept(ref kept) => delivery(kept),
        Observation::SameIdOtherContent { delivery, first, source, key } => warn!(
            %delivery,
            same_id_as = %first,
            source,
            key,
            "the sender gave this delivery the id of another one; their content differs, and both are kept"
        ),
        Observation::DeliveryRefused(DeliveryRefused { to_log: None, .. }) => {}
        Observation::DeliveryRefused(ref refused) => not_kept(refused),
        // Anyone can send these, so only the first of each minute is logged.
        Observation::GreetedAgain { .. } => {}
        Observation::SecretRemoved { source, place, is_first: true } => warn!(
            source,
            place,
            "a sender repeats its secret within its requests; it is removed, but the sender should not send it"
        ),
        Observation::SecretRemoved { is_first: false, .. } => {}
        Observation::SecretOffered { source, what } => {
            warn!(source, what, "a sender handed over a secret");
        }

        // The line of the delivery says how many runs it has, and each run says how many it stands for.
        Observation::RouteMatched { .. }
        | Observation::RunsSuperseded { .. }
        | Observation::HealthAsked => {}
        Observation::RunNotMapped { ref at, reason } => not_mapped(at, reason),
        Observation::RunHeld { ref at, reason } => held(at, reason),
        Observation::RunRedelivered { run, delivery } => {
            info!(%run, %delivery, "run queued again: its delivery was sent again");
        }
        Observation::RunReplayed {
            run,
            delivery,
            route,
            job,
            state: RunState::Failed,
            who,
            ..
        } => {
            warn!(%run, %delivery, route, job, who, "run replayed, and failed: its variables could not be made");
        }
        Observation::RunReplayed { run, delivery, route, job, what, state, who } => {
            info!(%run, %delivery, route, job, what, %state, who, "run replayed");
        }
        Observation::RunSettled { at, act, state, who } => {
            let RunAt { run, delivery, route, job } = at;
            info!(%run, %delivery, route, job, act, %state, who, "run settled by a person");
        }
        Observation::RunsOverdue { job, runs } => {
            warn!(job, runs, "runs failed: their deadline passed before they could be started");
        }
        Observation::RunsBraked { job, held } => {
            warn!(job, held, "the job's brake (starts_per_hour) holds these runs for a person");
        }
        Observation::SecretWithinReach { words } => {
            warn!(words, "a secret of the dispatch side is within reach of an ingest process");
        }
        Observation::RunsNotAsked { job, held } => {
            warn!(
                job,
                held, "runs are held: the configuration does not ask for them; each says why"
            );
        }
        Observation::ClockSetBack { runs } => {
            warn!(runs, "the clock was set back; runs that would have waited for it are due now");
        }

        Observation::AttemptEnded(ref ended) => attempt(ended),
        Observation::AttemptUnrecorded { run, job, attempt, outcome, engine_id } => error!(
            %run,
            job,
            attempt,
            outcome = outcome.as_str(),
            engine_id = engine_id.unwrap_or_default(),
            "the outcome could not be recorded; the run will be settled as unknown"
        ),

        Observation::KeyRefused { workbench, key } => error!(
            workbench,
            key, "the workbench refused this API key; it is paused until it changes"
        ),
        Observation::TokenChanged { token } => {
            info!(token, "this admin token has changed; the value before is refused from now on");
        }
        Observation::TokenUnreadable { token, reason } => {
            warn!(token, reason, "this admin token cannot be read, so nobody can use it");
        }
        Observation::TokenReadable { token } => {
            info!(token, "this admin token can be read again");
        }
        Observation::KeyChanged { key } => {
            info!(key, "this API key has changed; it is resumed");
        }
        Observation::Paused { what, who } => {
            info!(kind = what.kind(), name = what.name(), who, "paused by a person");
        }
        Observation::BreakerResumed { workbench, who } => info!(
            workbench,
            who, "a person ended the wait of a circuit breaker; one start is tried now"
        ),
        Observation::Resumed { what, who } => {
            info!(kind = what.kind(), name = what.name(), who, "resumed by a person");
        }
        Observation::BreakerOpened { workbench } => error!(
            workbench,
            "circuit breaker open: starts keep failing, so none is sent; deliveries are kept"
        ),
        Observation::BreakerHalfOpen { workbench } => {
            info!(workbench, "circuit breaker half-open: one start is sent as a trial");
        }
        Observation::BreakerClosed { workbench } => {
            info!(workbench, "circuit breaker closed: the workbench is back, starts are sent");
        }

        Observation::ConfigurationLoaded { version, report, .. } => loaded(version, report),
        Observation::ConfigurationReloaded { change, report, .. } => reloaded(change, report),
        Observation::ConfigurationRefused { report } => {
            let faults = report.faults.len();
            error!(faults, "the configuration is faulty; the last good version stays in force");
            each_fault(report);
        }
        Observation::RouteFileAdopted { file, since } => {
            warn!(file, %since, "a faulty file of routes.d stays in force as it was before the restart");
        }
        Observation::SecretDoubtful { reason, hint } => {
            warn!(reason, hint, "a secret in use is weak or used twice");
        }
        Observation::SourceUnusable { source, reason } => {
            error!(source, reason, "this source cannot receive anything");
        }

        Observation::ConnectionsEnded { to_log: None, .. }
        | Observation::StrangerWaits { to_log: None, .. }
        | Observation::WrongToken { to_log: None, .. } => {}
        Observation::StrangerWaits { listener, to_log: Some(count) } => warn!(
            listener,
            count,
            "requests of unproven clients take more than server.strangers_share of the processors, and wait for their \
             turn"
        ),
        Observation::ConnectionsEnded { listener, end, to_log: Some(count), error, .. } => {
            connections(listener, end, count, error);
        }
        Observation::WrongToken { origin, to_log: Some(count) } => {
            warn!(origin, count, "a token that is not configured was sent to the admin listener");
        }
        Observation::FewDescriptors { limit, connections, wanted } => warn!(
            limit,
            connections,
            wanted,
            "the process may open too few files for the configured connections; raise LimitNOFILE \
             or `ulimit -n`, or lower server.requests_in_flight"
        ),

        Observation::KeysFetched { url, keys, .. } => {
            info!(url, keys, "published keys fetched");
        }
        Observation::KeysNotFetched { url, words, since: Some(since), .. } => {
            warn!(url, words, %since, "published keys could not be fetched; older ones stay in use");
        }
        Observation::KeysNotFetched { url, words, since: None, .. } => {
            error!(url, words, "published keys could not be fetched, and there are none");
        }
        Observation::SubscriptionConfirmed { source, host } => {
            info!(source, host, "subscription confirmed");
        }
        Observation::SubscriptionNotConfirmed { source, host, words, .. } => {
            warn!(source, host, words, "a subscription could not be confirmed");
        }

        Observation::StoreFault { repeated: true, .. } => {}
        Observation::StoreFault { step, fault, repeated: false } => {
            error!(step, reason = %fault, "store fault");
        }
        Observation::StoreFileExposed { path, mode, corrected: true } => warn!(
            path = %path.display(),
            mode = format!("{mode:04o}"),
            "other users could use this file of the store; now only its owner can"
        ),
        Observation::StoreFileExposed { path, mode, corrected: false } => error!(
            path = %path.display(),
            mode = format!("{mode:04o}"),
            "other users can use this file or directory of the store"
        ),
        Observation::DeliveryErased { delivery, cancelled, who } => {
            info!(%delivery, cancelled, who, "a person had the content of a delivery erased");
        }
        Observation::DatabasePassword { reason } => {
            error!(reason, "the database's password cannot be read; the one before is tried");
        }
        Observation::Retention { step } => retention(step),
        Observation::StoreOverBound { bytes, bound } => error!(
            bytes,
            bound,
            "the store is over its size bound and everything left in it still waits; settle held \
             runs or raise retention.max_size"
        ),

        Observation::Ready { role, hooks, admin, health, config } => {
            let hooks = hooks.map(|address| address.to_string());
            let hooks = hooks.as_deref().unwrap_or("none");
            // The field is absent where there is no such listener.
            let health = health.map(tracing::field::display);
            info!(role, hooks, %admin, health, config, "ready");
        }
        Observation::Stopping { at_most } => {
            let at_most_s = at_most.as_secs();
            info!(at_most_s, "stopping: finishing what is in flight");
        }
        Observation::StartsCutOff => {
            error!("some starts did not end within the grace time; nobody knows what came of them");
        }
        Observation::Stopped => info!("stopped"),
        Observation::RequestLogLost { error } => {
            warn!(%error, "the simulator's log file cannot be written any more");
        }
    }
}

/// One line for each kept delivery.
fn delivery(kept: &DeliveryKept<'_>) {
    info!(
        delivery = %kept.delivery,
        source = kept.source,
        kind = kept.kind,
        key = kept.key,
        verdict = kept.verdict.as_str(),
        runs = kept.runs,
        size = kept.size,
        remote = kept.remote,
        took_ms = millis(kept.took),
        "delivery"
    );
}

/// One line for each request that was not kept.
fn not_kept(refused: &DeliveryRefused<'_>) {
    let DeliveryRefused { source, remote, status, reason, words, .. } = *refused;
    let DeliveryRefused { path, named_id, named_repository, to_log, .. } = *refused;
    let left_out = to_log.filter(|left_out| *left_out > 0);
    warn!(
        source,
        path, remote, status, reason, words, named_id, named_repository, left_out, "refused"
    );
}

/// One line for each attempt.
fn attempt(ended: &AttemptEnded<'_>) {
    macro_rules! line {
        ($level:ident) => {
            $level!(
                run = %ended.run,
                delivery = %ended.delivery,
                route = ended.route,
                job = ended.job,
                attempt = ended.attempt,
                outcome = ended.outcome.as_str(),
                next = ended.next.as_str(),
                status = ended.status.unwrap_or_default(),
                engine_id = ended.engine_id.unwrap_or_default(),
                reason = ended.reason,
                took_ms = millis(ended.took),
                "attempt"
            )
        };
    }
    if ended.outcome == Outcome::Started { line!(info) } else { line!(warn) }
}

fn not_mapped(at: &RunAt<'_>, reason: &str) {
    let RunAt { run, delivery, route, job } = *at;
    warn!(%run, %delivery, route, job, reason, "run failed: its variables could not be made");
}

fn held(at: &RunAt<'_>, reason: &str) {
    let RunAt { run, delivery, route, job } = *at;
    warn!(%run, %delivery, route, job, reason, "run held for a person");
}

fn loaded(config: &str, report: &Report) {
    if report.is_empty() {
        info!(config, "configuration loaded");
    } else {
        let (faults, warnings) = (report.faults.len(), report.warnings.len());
        warn!(config, faults, warnings, "configuration loaded");
        each_fault(report);
    }
}

/// One line for each fault and each warning of the files, so that a text log stays one line a thing.
fn each_fault(report: &Report) {
    for fault in &report.faults {
        let Fault { file, line, column, message, .. } = fault;
        let hint = fault.hint.as_deref().unwrap_or_default();
        error!(file, line, column, reason = message, hint, "fault in a configuration file");
    }
    for fault in &report.warnings {
        let Fault { file, line, column, message, .. } = fault;
        let hint = fault.hint.as_deref().unwrap_or_default();
        warn!(file, line, column, reason = message, hint, "warning about a configuration file");
    }
}

fn reloaded(change: &Change, report: &Report) {
    if report.is_good() {
        info!(config = change.to, "{change}");
    } else {
        warn!(config = change.to, faults = report.faults.len(), "{change}");
        each_fault(report);
    }
    for fault in &change.secrets {
        warn!(reason = %fault, "a secret cannot be read again; what it was before stays in use");
    }
}

/// A step that found nothing to do is not logged: that would be a line every minute.
fn retention(step: &RetentionStep) {
    let RetentionStep { removed, stripped, bytes, .. } = *step;
    if removed > 0 || stripped > 0 {
        info!(removed, stripped, bytes, "retention");
    }
}

/// One line a minute for each way to end: its count is since the line before.
fn connections(listener: &str, end: ConnectionEnd, count: u64, error: Option<&io::Error>) {
    match end {
        ConnectionEnd::GaveWay => warn!(
            listener,
            count, "connections were closed to make room for new ones: too many are open"
        ),
        ConnectionEnd::NotTaken => {
            warn!(listener, count, "connections were refused: too many are open");
        }
        ConnectionEnd::Stalled => {
            warn!(listener, count, "connections were closed: their clients do not read answers");
        }
        ConnectionEnd::NotAccepted => {
            let error = error.map(ToString::to_string).unwrap_or_default();
            error!(listener, count, error, "connections could not be accepted");
        }
        ConnectionEnd::ProxyProtocol => warn!(
            listener,
            count,
            "connections began with the PROXY protocol, which is not spoken here; let the proxy send \
             X-Forwarded-For, and name it in server.trusted_proxies"
        ),
        ConnectionEnd::Tls => warn!(
            listener,
            count,
            "connections began with TLS, and this listener speaks plain HTTP; use http:// or put a \
             proxy in front that ends TLS"
        ),
        ConnectionEnd::Http2 => warn!(
            listener,
            count, "connections began with HTTP/2, and this listener speaks HTTP/1.1"
        ),
        ConnectionEnd::LargeHead => warn!(
            listener,
            count, "requests were refused: their heads have more than 100 headers or 32 KiB"
        ),
        ConnectionEnd::BadHead => {
            warn!(listener, count, "requests were refused: their heads are not HTTP/1.1");
        }
        ConnectionEnd::BadFraming => warn!(
            listener,
            count,
            "requests were refused: Content-Length beside Transfer-Encoding, or a transfer coding \
             other than chunked"
        ),
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
