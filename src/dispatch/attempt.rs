//! One attempt: sends the start request for a leased run and records the outcome.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::Parts;
use super::decide::decide;
use super::keys::{Keys, mark};
use super::pauses::key_refused;
use crate::clock::{between, later};
use crate::config::{JobPlan, WorkbenchPlan};
use crate::failpoint::reached;
use crate::model::{AttemptResult, Outcome, Secret};
use crate::observe::{AttemptEnded, Observation};
use crate::store::{Finish, KeyRefused, Lease, Next, StoreFault};
use crate::workbench::{LEASE_MARGIN, NotSent, Start, Workbench};

/// Back-off before an outcome is offered to the store again.
const STORE_REST: Duration = Duration::from_millis(500);
/// How often the log repeats that the store still does not take an outcome.
const SAID_AGAIN: Duration = Duration::from_secs(60);

/// The reason of an attempt that was cut off or whose process died: its outcome is unknown.
const STOPPED: &str = "the gateway stopped while the request was on its way";

/// Clients by workbench. A client is made anew when the configuration of its workbench changes.
#[derive(Debug, Default)]
pub(super) struct Workbenches(Mutex<HashMap<Arc<str>, Workbench>>);

impl Workbenches {
    async fn get(&self, plan: &Arc<WorkbenchPlan>) -> Result<Workbench, String> {
        let made = self.lock().get(&plan.name).cloned();
        if let Some(client) = made.filter(|client| Arc::ptr_eq(client.plan(), plan)) {
            return Ok(client);
        }
        // Making a client reads certificate files, which blocks.
        let own = Arc::clone(plan);
        let made = tokio::task::spawn_blocking(move || Workbench::new(own)).await;
        let made = made.map_err(|stopped| stopped.to_string())?;
        let client = made.map_err(|fault| fault.to_string())?;
        self.lock().insert(Arc::clone(&plan.name), client.clone());
        Ok(client)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, Workbench>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an attempt tells about its workbench and its key.
pub(super) struct Sent {
    /// The result; `None` where no request was sent or the attempt was cut off.
    pub(super) result: Option<AttemptResult>,
    /// Set where the workbench refused the key.
    pub(super) refused: Option<KeyRefused>,
}

/// Sends one start and records its outcome.
pub(super) async fn attempt(
    parts: &Parts,
    workbenches: &Workbenches,
    keys: &Keys,
    lease: Lease,
    cut: &CancellationToken,
) -> Sent {
    let plan = parts.live.plan();
    let Some(job) = plan.jobs.get(&lease.job) else {
        let reason = format!("job {} is no longer configured", lease.job);
        let result = unsent(Outcome::NotStartedForGood, reason.clone());
        record(parts, lease, result, Next::Fail { reason }, None, cut).await;
        return Sent { result: None, refused: None };
    };
    let begun = Instant::now();
    let (result, sent) = tokio::select! {
        biased;
        done = send(parts, workbenches, job, &lease) => done,
        () = cut.cancelled() => {
            let stopped = unsent(Outcome::Unknown, STOPPED.to_owned());
            let result = AttemptResult { took: begun.elapsed(), ..stopped };
            (result, Sent { result: None, refused: None })
        }
    };
    let next = follow(parts, job, &lease, &result);
    if let Some(refused) = &sent.refused {
        // In memory at once, before other runs with this key are sent; the store pauses the key in the same
        // transaction that records the attempt.
        keys.pause(refused);
    }
    record(parts, lease, result, next, sent.refused.clone(), cut).await;
    sent
}

async fn send(
    parts: &Parts,
    workbenches: &Workbenches,
    job: &JobPlan,
    lease: &Lease,
) -> (AttemptResult, Sent) {
    let not_sent = |reason| {
        let sent = Sent { result: None, refused: None };
        (unsent(Outcome::NotStartedForNow, reason), sent)
    };
    let workbench = match workbenches.get(&job.workbench).await {
        Ok(workbench) => workbench,
        Err(reason) => return not_sent(reason),
    };
    let key = match parts.live.api_key(job).await {
        Ok(key) => key,
        Err(fault) => {
            let reason = format!("the API key {} cannot be read: {fault}", job.api_key);
            return not_sent(reason);
        }
    };
    let now = parts.clock.now();
    if let Some(reason) = no_longer(lease, now) {
        return not_sent(reason.to_owned());
    }
    let start = start_of(job, lease, now);
    reached("lease.committed");
    let mut result = match workbench.start(&start, &key).await {
        Ok(result) => result,
        Err(NotSent::Credential(fault)) => {
            let reason = format!("nothing can be sent with the API key {}: {fault}", job.api_key);
            return not_sent(reason);
        }
        Err(fault) => return not_sent(fault.to_string()),
    };
    reached("attempt.answered");
    if job.probe.is_some() && result.outcome == Outcome::Unknown {
        look_up(&workbench, &start, &key, &mut result).await;
    }
    let mut sent = Sent { result: Some(result.clone()), refused: None };
    if result.key_refused {
        let mark = mark(&key, &*parts.random);
        sent.refused = Some(key_refused(job, mark, parts.clock.now()));
        let (workbench, key) = (&*job.workbench.name, &*job.api_key);
        parts.observer.tell(Observation::KeyRefused { workbench, key });
    }
    (result, sent)
}

/// Why a leased run must not be sent any more, if so: this process may have stood still since it took the
/// lease. The lease counts from the time of acceptance at the earliest, since the clock may have been moved.
fn no_longer(lease: &Lease, now: Timestamp) -> Option<&'static str> {
    if now >= lease.deadline {
        Some("its time was over before it could be sent (deadline or max_age of its job)")
    } else if between(lease.asked_at.max(lease.accepted_at), now) >= LEASE_MARGIN {
        Some("the gateway stood still before it could send the request")
    } else {
        None
    }
}

/// Asks the workbench whether a start with an unknown outcome went through. Only a clear answer changes the
/// outcome.
async fn look_up(
    workbench: &Workbench,
    start: &Start<'_>,
    key: &Secret,
    result: &mut AttemptResult,
) {
    let before = &result.reason;
    match workbench.find(start, key).await {
        Ok(engine_id) => {
            result.outcome = Outcome::Started;
            result.reason = format!("{before}; looked up: it runs as engine {engine_id}");
            result.engine_id = Some(engine_id);
        }
        Err(why) => result.reason = format!("{before}; looked up without result: {why}"),
    }
}

fn start_of<'a>(job: &'a JobPlan, lease: &'a Lease, now: Timestamp) -> Start<'a> {
    Start {
        target: &job.target,
        environment: &lease.environment,
        run: lease.run,
        delivery: lease.delivery,
        now,
    }
}

/// Settles an attempt that its process never settled, because it died or was cut off. The outcome is
/// unknown, unless the job's probe finds the run.
///
/// # Errors
/// [`StoreFault`], except [`StoreFault::LeaseLost`]: then another process has settled the attempt.
pub(super) async fn settle_lost(
    parts: &Parts,
    workbenches: &Workbenches,
    lease: &Lease,
) -> Result<(), StoreFault> {
    let plan = parts.live.plan();
    let mut result = unsent(Outcome::Unknown, STOPPED.to_owned());
    let next = match plan.jobs.get(&lease.job) {
        Some(job) => {
            if job.probe.is_some()
                && let (Ok(workbench), Ok(key)) =
                    (workbenches.get(&job.workbench).await, parts.live.api_key(job).await)
            {
                let start = start_of(job, lease, parts.clock.now());
                look_up(&workbench, &start, &key, &mut result).await;
            }
            follow(parts, job, lease, &result)
        }
        None => Next::Hold { reason: format!("{STOPPED}, and its job is no longer configured") },
    };
    match offer(parts, lease, &result, &next, None).await {
        // Another process has settled it.
        Err(StoreFault::LeaseLost(_)) => Ok(()),
        settled => settled,
    }
}

fn follow(parts: &Parts, job: &JobPlan, lease: &Lease, result: &AttemptResult) -> Next {
    decide(result, job, lease.attempt, lease.deadline, parts.clock.now(), |most| {
        parts.random.up_to(most)
    })
}

/// A result without a reply.
fn unsent(outcome: Outcome, reason: String) -> AttemptResult {
    AttemptResult {
        outcome,
        status: None,
        engine_id: None,
        reason,
        reply: None,
        retry_after: None,
        clock_ahead: None,
        took: Duration::ZERO,
        key_refused: false,
    }
}

/// Records an outcome, and tries again for as long as the store is out of order. Only this process knows
/// the outcome; if it gave up, the attempt would later count as unknown. It stops trying once the attempt is
/// cut off at shutdown; the attempt then stays on disk as begun.
async fn record(
    parts: &Parts,
    lease: Lease,
    result: AttemptResult,
    next: Next,
    refused: Option<KeyRefused>,
    cut: &CancellationToken,
) {
    let mut said: Option<Timestamp> = None;
    loop {
        let last = cut.is_cancelled();
        let fault = match offer(parts, &lease, &result, &next, refused.as_ref()).await {
            Err(fault @ (StoreFault::Unavailable(_) | StoreFault::Unusable(_))) => fault,
            Err(settled) => return parts.tell_store_fault(&settled),
            Ok(()) => return,
        };
        let now = parts.clock.now();
        let repeated = said.is_some_and(|said| now >= said && between(said, now) < SAID_AGAIN);
        parts.observer.tell(Observation::StoreFault { step: "dispatch", fault: &fault, repeated });
        if !repeated {
            said = Some(now);
        }
        if last {
            return parts.observer.tell(unrecorded(&lease, &result));
        }
        tokio::select! {
            () = cut.cancelled() => {}
            () = parts.clock.wait_until(later(now, STORE_REST)) => {}
        }
    }
}

fn unrecorded<'a>(lease: &'a Lease, result: &'a AttemptResult) -> Observation<'a> {
    Observation::AttemptUnrecorded {
        run: lease.run,
        job: &lease.job,
        attempt: lease.attempt,
        outcome: result.outcome,
        engine_id: result.engine_id.as_deref(),
    }
}

async fn offer(
    parts: &Parts,
    lease: &Lease,
    result: &AttemptResult,
    next: &Next,
    refused: Option<&KeyRefused>,
) -> Result<(), StoreFault> {
    let finish = Finish {
        lease: lease.clone(),
        result: result.clone(),
        next: next.clone(),
        refused: refused.cloned(),
        now: parts.clock.now(),
    };
    parts.store.finish(finish).await?;
    parts.observer.tell(Observation::AttemptEnded(AttemptEnded::of(lease, result, next)));
    Ok(())
}
