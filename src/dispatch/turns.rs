//! Whose turn it is: how many starts of each job are on the wire, and which job is asked first.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::keys;
use crate::clock::between;
use crate::config::Plan;
use crate::model::RunId;
use crate::store::{Lease, Permit};
use crate::workbench::{LONGEST_REST, Workbench};

/// Time between two looks for lost attempts and passed deadlines.
const SWEEP: Duration = Duration::from_secs(1);

/// Counts of what is on the wire.
#[derive(Debug, Default)]
pub(super) struct Turns {
    jobs: HashMap<Arc<str>, usize>,
    runs: HashSet<RunId>,
    first: usize,
    swept: Option<Timestamp>,
}

/// The longest time that any run may be told to wait: a pause between attempts, the rest that a
/// workbench asks for, or the wait for a newer run.
pub(super) fn longest_wait(plan: &Plan) -> Duration {
    let pauses = plan.jobs.values().map(|job| job.retry_max);
    let bursts = plan.routes.iter().filter_map(|route| Some(route.latest.as_ref()?.wait_at_most));
    pauses.chain(bursts).max().unwrap_or_default().max(LONGEST_REST)
}

impl Turns {
    /// What each job may have now. The order starts one job further each time.
    pub(super) fn permits(&mut self, plan: &Plan) -> Vec<Permit> {
        let mut permits: Vec<Permit> = plan
            .jobs
            .iter()
            .filter_map(|(name, job)| {
                let busy = self.jobs.get(name).copied().unwrap_or(0);
                let count = (job.starts_at_once as usize).saturating_sub(busy);
                let lease = Workbench::lease(&job.workbench, job.probe);
                (count > 0).then(|| Permit {
                    job: Arc::clone(name),
                    count,
                    at_once: job.starts_at_once as usize,
                    key: Some(keys::name(job).into()),
                    declared: Arc::clone(&job.declared),
                    lease,
                    per_minute: job.starts_per_minute,
                    per_hour: job.starts_per_hour,
                    backlog_per_minute: job.resume_per_minute,
                    trial: None,
                })
            })
            .collect();
        if !permits.is_empty() {
            self.first = self.first.wrapping_add(1);
            let by = self.first % permits.len();
            permits.rotate_left(by);
        }
        permits
    }

    /// Whether it is time to look for lost attempts and passed deadlines again. Both are rare, and a
    /// pass over the queue is not.
    pub(super) fn sweep_is_due(&mut self, now: Timestamp) -> bool {
        let due = self.swept.is_none_or(|last| now < last || between(last, now) >= SWEEP);
        if due {
            self.swept = Some(now);
        }
        due
    }

    /// Makes the next look one for all of that.
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

    /// Whether this process is the one that sends the run.
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
