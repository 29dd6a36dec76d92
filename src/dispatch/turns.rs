//! Counts the starts in flight of each job, and decides in which order the jobs are served.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::keys;
use crate::clock::between;
use crate::config::{JobPlan, Plan};
use crate::model::RunId;
use crate::store::{Lease, Permit};
use crate::workbench::{LONGEST_REST, Workbench};

/// Time between two sweeps. A sweep settles lost attempts, reads the pauses and fails overdue runs.
const SWEEP: Duration = Duration::from_secs(1);

/// The starts in flight.
#[derive(Debug, Default)]
pub(super) struct Turns {
    jobs: HashMap<Arc<str>, usize>,
    runs: HashSet<RunId>,
    first: usize,
    swept: Option<Timestamp>,
}

/// The longest time that a run may have to wait: the back-off between attempts, the wait that a workbench
/// asks for, or the wait for a newer run. A run that is due later shows that the clock was set back.
pub(super) fn longest_wait(plan: &Plan) -> Duration {
    let pauses = plan.jobs.values().map(|job| job.retry_max);
    let bursts = plan.routes.iter().filter_map(|route| Some(route.latest.as_ref()?.wait_at_most));
    pauses.chain(bursts).max().unwrap_or_default().max(LONGEST_REST)
}

/// A permit for `count` starts of a job. `trial` names the workbench where the start is a trial of its
/// half-open circuit breaker.
pub(super) fn permit(job: &JobPlan, count: usize, trial: Option<Arc<str>>) -> Permit {
    Permit {
        job: Arc::clone(&job.name),
        count,
        at_once: job.starts_at_once as usize,
        key: Some(keys::name(job).into()),
        declared: Arc::clone(&job.declared),
        lease: Workbench::lease(&job.workbench, job.probe),
        per_minute: job.starts_per_minute,
        per_hour: job.starts_per_hour,
        backlog_per_minute: job.resume_per_minute,
        trial,
        env_max: job.env_max,
    }
}

impl Turns {
    /// The jobs that may have more starts in flight, in the order in which they are served. Each call begins
    /// one job further, so that every job comes first in turn.
    pub(super) fn order<'p>(&mut self, plan: &'p Plan) -> Vec<&'p Arc<JobPlan>> {
        let busy = |job: &JobPlan| self.jobs.get(&job.name).copied().unwrap_or(0);
        let has_room = |job: &&Arc<JobPlan>| busy(job) < job.starts_at_once as usize;
        let mut jobs: Vec<&Arc<JobPlan>> = plan.jobs.values().filter(has_room).collect();
        if !jobs.is_empty() {
            self.first = self.first.wrapping_add(1);
            let by = self.first % jobs.len();
            jobs.rotate_left(by);
        }
        jobs
    }

    /// Whether a sweep is due; notes it as done. Passes over the queue are frequent, and not each of them
    /// needs one.
    pub(super) fn sweep_is_due(&mut self, now: Timestamp) -> bool {
        let due = self.swept.is_none_or(|last| now < last || between(last, now) >= SWEEP);
        if due {
            self.swept = Some(now);
        }
        due
    }

    /// Makes the next pass sweep.
    pub(super) fn sweep_soon(&mut self) {
        self.swept = None;
    }

    pub(super) fn begin(&mut self, lease: &Lease) {
        *self.jobs.entry(Arc::clone(&lease.job)).or_default() += 1;
        self.runs.insert(lease.run);
    }

    pub(super) fn end(&mut self, job: &Arc<str>, run: RunId) {
        self.runs.remove(&run);
        if let Some(busy) = self.jobs.get_mut(job) {
            *busy = busy.saturating_sub(1);
            if *busy == 0 {
                self.jobs.remove(job);
            }
        }
    }

    /// Whether this process has an attempt of this run in hand.
    pub(super) fn holds(&self, run: RunId) -> bool {
        self.runs.contains(&run)
    }

    pub(super) fn on_the_wire(&self) -> usize {
        self.runs.len()
    }

    pub(super) fn by_job(&self) -> HashMap<Arc<str>, usize> {
        self.jobs.clone()
    }
}
