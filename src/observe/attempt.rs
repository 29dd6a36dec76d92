//! What the log and the metrics learn of an attempt. It holds neither the variables nor the workbench's
//! reply.

use std::time::Duration;

use crate::model::{AttemptResult, DeliveryId, Outcome, RunId};
use crate::store::{Lease, Next};

/// What follows an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follows {
    /// The run is started.
    Started,
    /// Another attempt.
    Retry,
    /// A person must decide.
    Held,
    /// The run has failed.
    Failed,
}

impl Follows {
    /// The word used in logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Retry => "retry",
            Self::Held => "held",
            Self::Failed => "failed",
        }
    }
}

/// An attempt and what came of it.
#[derive(Clone, Copy, Debug)]
pub struct AttemptEnded<'a> {
    /// Its run.
    pub run: RunId,
    /// The run's delivery.
    pub delivery: DeliveryId,
    /// The run's route.
    pub route: &'a str,
    /// The run's job.
    pub job: &'a str,
    /// Which attempt of the run it is, counted from 1.
    pub attempt: u32,
    /// Its outcome.
    pub outcome: Outcome,
    /// What follows it.
    pub next: Follows,
    /// HTTP status of the reply, where there was one.
    pub status: Option<u16>,
    /// The workbench's id of the engine, once started.
    pub engine_id: Option<&'a str>,
    /// What happened, in words.
    pub reason: &'a str,
    /// Time from sending the request to knowing the outcome.
    pub took: Duration,
    /// Time from accepting the delivery to beginning this attempt.
    pub waited: Duration,
}

impl<'a> AttemptEnded<'a> {
    /// The part of an attempt that the log and the metrics may have.
    pub fn of(lease: &'a Lease, result: &'a AttemptResult, next: &Next) -> Self {
        Self {
            run: lease.run,
            delivery: lease.delivery,
            route: &lease.route,
            job: &lease.job,
            attempt: lease.attempt,
            outcome: result.outcome,
            next: match next {
                Next::Started { .. } => Follows::Started,
                Next::Retry { .. } => Follows::Retry,
                Next::Hold { .. } => Follows::Held,
                Next::Fail { .. } => Follows::Failed,
            },
            status: result.status,
            engine_id: result.engine_id.as_deref(),
            reason: &result.reason,
            took: result.took,
            waited: waited(lease),
        }
    }
}

/// The clocks of two processes may differ, so it is never less than nothing.
fn waited(lease: &Lease) -> Duration {
    let waited = lease.begun_at.duration_since(lease.accepted_at);
    Duration::try_from(waited).unwrap_or_default()
}
