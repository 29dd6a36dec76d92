//! Decides what follows an attempt. Pure: the result, the job's policy, the time and a random draw are
//! arguments.

use std::time::Duration;

use jiff::Timestamp;

use crate::clock::later;
use crate::config::{JobPlan, OnUnknown};
use crate::model::{AttemptResult, Outcome};
use crate::store::Next;

/// Shortest wait before a retry, so that a random draw near zero does not hammer a workbench.
const SHORTEST: Duration = Duration::from_millis(100);

/// What follows this result: started, a retry, held or failed. `draw` gives a random duration from zero up
/// to its argument, uniformly distributed.
pub fn decide(
    result: &AttemptResult,
    job: &JobPlan,
    attempt: u32,
    deadline: Timestamp,
    now: Timestamp,
    draw: impl FnOnce(Duration) -> Duration,
) -> Next {
    let again = |draw: Box<dyn FnOnce(Duration) -> Duration + '_>| {
        let wait = draw(ceiling(job, attempt)).max(SHORTEST);
        let wait = wait.max(result.retry_after.unwrap_or_default());
        let at = later(now, wait);
        if at >= deadline {
            Next::Fail {
                reason: format!(
                    "the next try would come after its deadline (attempts so far: {attempt}); last: \
                     {}",
                    result.reason
                ),
            }
        } else {
            Next::Retry { at, reason: result.reason.clone() }
        }
    };
    // Its key is paused with it, so the run waits for another key and not for a time.
    if result.key_refused && now < deadline {
        return Next::Retry { at: now, reason: result.reason.clone() };
    }
    match (result.outcome, &result.engine_id) {
        (Outcome::Started, Some(engine_id)) => Next::Started { engine_id: engine_id.clone() },
        (Outcome::NotStartedForNow, _) => again(Box::new(draw)),
        (Outcome::NotStartedForGood, _) => Next::Fail { reason: result.reason.clone() },
        (Outcome::Unknown | Outcome::Started, _) => match job.on_unknown {
            OnUnknown::Retry => again(Box::new(draw)),
            OnUnknown::Hold => Next::Hold {
                reason: format!(
                    "the job may or may not have been started: {}; look at the job's history on \
                     the workbench, then release this run",
                    result.reason
                ),
            },
        },
    }
}

/// The longest wait before the next attempt: `retry_first`, doubled with each attempt, at most `retry_max`.
fn ceiling(job: &JobPlan, attempt: u32) -> Duration {
    let doublings = attempt.saturating_sub(1).min(30);
    job.retry_first.saturating_mul(1 << doublings).min(job.retry_max)
}
