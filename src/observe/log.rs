//! Every line that the path writes to the log, in one place, so that field names are the same
//! everywhere and no line can hold a body, a secret or a signature.

use std::time::Duration;

use jiff::Timestamp;
use tracing::{error, info, warn};

use crate::model::{AttemptResult, DeliveryId, Outcome};
use crate::store::{Lease, Next, StoreFault};

/// A delivery as its log line shows it.
#[derive(Clone, Copy, Debug)]
pub struct DeliveryLine<'a> {
    /// Its name.
    pub delivery: DeliveryId,
    /// Its source.
    pub source: &'a str,
    /// Its kind of event.
    pub kind: &'a str,
    /// What names it at the sender's side.
    pub key: &'a str,
    /// `accepted`, `unmatched`, `repeat` or `handshake`.
    pub verdict: &'static str,
    /// How many runs it has.
    pub runs: usize,
    /// Bytes of its body.
    pub size: usize,
    /// Address that it came from.
    pub remote: &'a str,
    /// From its first byte to the answer.
    pub took: Duration,
}

/// One line a kept delivery.
pub fn delivery(line: &DeliveryLine<'_>) {
    info!(
        delivery = %line.delivery,
        source = line.source,
        kind = line.kind,
        key = line.key,
        verdict = line.verdict,
        runs = line.runs,
        size = line.size,
        remote = line.remote,
        took_ms = millis(line.took),
        "delivery"
    );
}

/// One line a request that was not kept.
pub fn refused(source: &str, remote: &str, status: u16, reason: &str, words: &str) {
    warn!(source, remote, status, reason, words, "refused");
}

/// One line an attempt.
pub fn attempt(lease: &Lease, result: &AttemptResult, next: &Next) {
    let follows = match next {
        Next::Started { .. } => "started",
        Next::Retry { .. } => "retry",
        Next::Hold { .. } => "held",
        Next::Fail { .. } => "failed",
    };
    let engine_id = result.engine_id.as_deref().unwrap_or_default();
    let status = result.status.unwrap_or_default();
    macro_rules! line {
        ($level:ident) => {
            $level!(
                run = %lease.run,
                delivery = %lease.delivery,
                route = %lease.route,
                job = %lease.job,
                attempt = lease.attempt,
                outcome = result.outcome.as_str(),
                next = follows,
                status,
                engine_id,
                reason = result.reason,
                took_ms = millis(result.took),
                "attempt"
            )
        };
    }
    if result.outcome == Outcome::Started { line!(info) } else { line!(warn) }
}

/// A sender handed a secret over in its greeting.
pub fn offered_secret(source: &str, what: &str) {
    warn!(source, what, "a sender handed over a secret");
}

/// Published keys were fetched.
pub fn keys_fetched(url: &str, keys: usize) {
    info!(url, keys, "published keys fetched");
}

/// Published keys could not be fetched; those of `since`, where there are any, stay in use.
pub fn keys_not_fetched(url: &str, words: &str, since: Option<Timestamp>) {
    match since {
        Some(since) => {
            warn!(url, words, %since, "published keys could not be fetched; older ones stay in use");
        }
        None => error!(url, words, "published keys could not be fetched, and there are none"),
    }
}

/// A subscription was confirmed at its sender, or could not be.
pub fn confirmed(source: &str, host: &str, fault: Option<&str>) {
    match fault {
        None => info!(source, host, "subscription confirmed"),
        Some(words) => warn!(source, host, words, "a subscription could not be confirmed"),
    }
}

/// The store said no.
pub fn store_fault(step: &'static str, fault: &StoreFault) {
    error!(step, reason = %fault, "store fault");
}

/// The database's password cannot be had; the one before is tried.
pub fn database_password(reason: &str) {
    error!(reason, "the database's password cannot be read; the one before is tried");
}

/// An outcome that the store would not take.
pub fn unrecorded(lease: &Lease, result: &AttemptResult) {
    error!(
        run = %lease.run,
        job = %lease.job,
        attempt = lease.attempt,
        outcome = result.outcome.as_str(),
        engine_id = result.engine_id.as_deref().unwrap_or_default(),
        "the outcome could not be recorded; the run will be settled as unknown"
    );
}

/// A workbench did not accept a key.
pub fn key_refused(workbench: &str, key: &str) {
    error!(
        workbench,
        key, "the workbench refused this API key; its runs wait until the key changes"
    );
}

/// A key that rested goes on.
pub fn key_resumed(key: &str) {
    info!(key, "this API key has changed; its runs go on");
}

/// A job's brake held runs.
pub fn braked(job: &str, held: usize) {
    warn!(job, held, "the job's brake (starts_per_hour) holds these runs for a person");
}

/// Runs were due later than any run may be.
pub fn clock_was_set_back(runs: usize) {
    warn!(runs, "the clock was set back; runs that would have waited for it are due now");
}

/// Starts on a workbench kept failing.
pub fn workbench_rests(workbench: &str) {
    error!(workbench, "starts keep failing; the workbench is given a rest, deliveries are kept");
}

/// A start after a rest succeeded.
pub fn workbench_is_back(workbench: &str) {
    info!(workbench, "the workbench is back; what waited is let go");
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
